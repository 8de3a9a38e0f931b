import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

/** Where alarms are told: encrypted, over TLS alone, and by the alarms of this account alone. */
export class AlarmTopic extends Construct {
  readonly topic: Topic;

  /** @param email who is told; AWS asks them once whether they want it */
  constructor(scope: Construct, id: string, email: string | undefined) {
    super(scope, id);
    const alarms = new ServicePrincipal('cloudwatch.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    });
    // CloudWatch may not use the key that AWS keeps for SNS.
    const key = new Key(this, 'Key', { description: 'What the alarms of chat-system tell', enableKeyRotation: true });
    key.grantEncryptDecrypt(alarms);
    this.topic = new Topic(this, 'Topic', { displayName: 'chat-system alarms', masterKey: key, enforceSSL: true });
    this.topic.addToResourcePolicy(
      new PolicyStatement({ actions: ['sns:Publish'], principals: [alarms], resources: [this.topic.topicArn] }),
    );
    if (email) this.topic.addSubscription(new EmailSubscription(email));
  }
}
