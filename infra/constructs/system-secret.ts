import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnRotationSchedule, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { cursors } from '../../functions/aws/cursors.ts';
import type { systemSecretVersions } from '../../functions/aws/system-secret-versions.ts';
import { removalOf } from './removal.ts';
import { allowReading, allowReplacing } from './secret-access.ts';
import type { ServiceFunction } from './service-function.ts';
import { accept } from './suppress.ts';

/** A key that leaked unnoticed ends within two of these. */
const rotationDays = 30;

/** The secret that the keys of cursors are derived from. */
export class SystemSecret extends Construct {
  readonly secret: ISecret;

  constructor(scope: Construct, id: string, { keepData }: { keepData: boolean }) {
    super(scope, id);
    // CDK's own types don't agree under exactOptionalPropertyTypes.
    this.secret = new Secret(this, 'Secret', {
      description: 'chat-system: what the keys that sign cursors are derived from',
      // The first key; lib/system-secret-text.ts reads it. 43 letters and digits hold 256 bits.
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'key',
        passwordLength: 43,
        excludePunctuation: true,
      },
      removalPolicy: removalOf(keepData),
    }) as ISecret;
    accept(this, {
      'AwsSolutions-SMG4': 'It is rotated in the service stack, where the function is; an emulator may not rotate.',
    });
  }

  /** The function makes and reads cursors. */
  connect(fn: ServiceFunction): void {
    allowReading(fn, this.secret);
    fn.setVariables<typeof cursors>({ SYSTEM_SECRET: this.secret.secretArn });
  }

  /** The function makes the new keys. */
  rotatesWith(fn: ServiceFunction): void {
    allowReading(fn, this.secret);
    allowReplacing(fn, this.secret);
    fn.setVariables<typeof systemSecretVersions>({ SYSTEM_SECRET: this.secret.secretArn });
    fn.addPermission('SecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceArn: this.secret.secretArn,
    });
    // CDK's own `addRotationSchedule` would give the function rights that it does not use.
    const schedule = new CfnRotationSchedule(fn, 'Rotation', {
      secretId: this.secret.secretArn,
      rotationLambdaArn: fn.functionArn,
      rotationRules: { automaticallyAfterDays: rotationDays },
      rotateImmediatelyOnUpdate: false,
    });
    // Secrets Manager tries whether it may call the function.
    schedule.node.addDependency(fn);
  }
}
