import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnRotationSchedule, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { cursors } from '../../functions/aws/cursors.ts';
import type { systemSecretVersions } from '../../functions/aws/system-secret-versions.ts';
import { removalOf } from './removal.ts';
import { allowReading, allowReplacing } from './secret-access.ts';
import type { ServiceFunction } from './service-function.ts';
import { suppress } from './suppress.ts';

/** The time between two rotations, in days. A key that leaked unnoticed is invalid after at most two rotations. */
const rotationDays = 30;

/** The secret from which the keys that sign cursors and seal access tokens are derived. */
export class SystemSecret extends Construct {
  readonly secret: ISecret;

  constructor(scope: Construct, id: string, { keepData }: { keepData: boolean }) {
    super(scope, id);
    // CDK's own types don't agree under exactOptionalPropertyTypes.
    this.secret = new Secret(this, 'Secret', {
      description: 'chat-system: the keys of cursors and access tokens are derived from this secret',
      // The first key, in the format of lib/system-secret-text.ts. 43 letters and digits have 256 bits of entropy.
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'key',
        passwordLength: 43,
        excludePunctuation: true,
      },
      removalPolicy: removalOf(keepData),
    }) as ISecret;
    suppress(this, {
      'AwsSolutions-SMG4':
        'The service stack rotates the secret, because it has the function; emulators may not support rotation.',
    });
  }

  /** Lets the function sign and verify cursors, and make and read access tokens. */
  connect(fn: ServiceFunction): void {
    allowReading(fn, this.secret);
    fn.setVariables<typeof cursors>({ SYSTEM_SECRET: this.secret.secretArn });
  }

  /** Lets Secrets Manager rotate the secret by calling the function. */
  rotateWith(fn: ServiceFunction): void {
    allowReading(fn, this.secret);
    allowReplacing(fn, this.secret);
    fn.setVariables<typeof systemSecretVersions>({ SYSTEM_SECRET: this.secret.secretArn });
    fn.addPermission('SecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceArn: this.secret.secretArn,
    });
    // CDK's `addRotationSchedule` would grant the function permissions that it does not use.
    const schedule = new CfnRotationSchedule(fn, 'Rotation', {
      secretId: this.secret.secretArn,
      rotationLambdaArn: fn.functionArn,
      rotationRules: { automaticallyAfterDays: rotationDays },
      rotateImmediatelyOnUpdate: false,
    });
    // Secrets Manager checks at creation that it may call the function, so the permission has to exist first.
    schedule.node.addDependency(fn);
  }
}
