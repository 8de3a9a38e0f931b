import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

/** The SNS topic that alarms notify. It is encrypted, requires TLS, and accepts only alarms of this account. */
export class AlarmTopic extends Construct {
  readonly topic: Topic;

  /** @param email the address that is subscribed; AWS asks its owner once to confirm the subscription */
  constructor(scope: Construct, id: string, email: string | undefined) {
    super(scope, id);
    const cloudWatch = 'cloudwatch.amazonaws.com';
    // CloudWatch cannot use the AWS managed key of SNS. No stored data is encrypted with this key, so it can be deleted.
    const key = new Key(this, 'Key', {
      description: 'chat-system: encrypts alarm notifications',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // This grant has no condition on the account, as in the AWS documentation. The policy of the topic has that
    // condition.
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
