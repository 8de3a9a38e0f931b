import { RemovalPolicy, Stack } from 'aws-cdk-lib';
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
    const cloudWatch = 'cloudwatch.amazonaws.com';
    // CloudWatch may not use the key that AWS keeps for SNS. Nothing is kept under this one.
    const key = new Key(this, 'Key', {
      description: 'What the alarms of chat-system tell',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // As AWS documents it, without a condition on the account; that is the topic's.
    key.grantEncryptDecrypt(new ServicePrincipal(cloudWatch));
    this.topic = new Topic(this, 'Topic', { displayName: 'chat-system alarms', masterKey: key, enforceSSL: true });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        actions: ['sns:Publish'],
        principals: [
          new ServicePrincipal(cloudWatch, {
            conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
          }),
        ],
        resources: [this.topic.topicArn],
      }),
    );
    if (email) this.topic.addSubscription(new EmailSubscription(email));
  }
}
