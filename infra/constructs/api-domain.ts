import { CfnOutput } from 'aws-cdk-lib';
import { DomainName, EndpointType, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Construct } from 'constructs';

/** A domain name for the API, and the certificate of ACM for it. */
export interface DomainSettings {
  name: string;
  /** The ARN of a certificate in the region of the stage. */
  certificateArn: string;
}

/**
 * The custom domain of the API. It belongs to the data stack, so that its DNS record stays valid when the service stack
 * is deleted and deployed again.
 */
export class ApiDomain extends Construct {
  readonly domain: DomainName;

  constructor(scope: Construct, id: string, { name, certificateArn }: DomainSettings) {
    super(scope, id);
    this.domain = new DomainName(this, 'Domain', {
      domainName: name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    new CfnOutput(this, 'Target', {
      key: 'DomainTarget',
      value: this.domain.domainNameAliasDomainName,
      description: 'Value of the CNAME record of the domain',
    });
  }
}
