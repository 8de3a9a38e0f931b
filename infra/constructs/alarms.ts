import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type AlarmSpec, runbookLink } from '../monitoring/alarm.ts';

interface AlarmsProps {
  specs: AlarmSpec[];
  topic: ITopic;
  /** The URL of the runbook; undefined: the descriptions name its file in the repository. */
  runbook: string | undefined;
}

/**
 * The alarms. Each notifies the topic when it fires and when it returns to OK. The notification says what breaks for
 * users and links the section of the runbook.
 */
export class Alarms extends Construct {
  readonly all: Alarm[];

  constructor(scope: Construct, id: string, { specs, topic, runbook }: AlarmsProps) {
    super(scope, id);
    const action = new SnsAction(topic);
    this.all = specs.map(({ id, description, section, metric, above, below, periods, missing }) => {
      const alarm = new Alarm(this, id, {
        alarmDescription: `${description} What to do: ${runbookLink(section, runbook)}`,
        metric,
        threshold: above ?? below ?? 0,
        comparisonOperator:
          above === undefined ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_THRESHOLD,
        datapointsToAlarm: periods.bad,
        evaluationPeriods: periods.of,
        treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      return alarm;
    });
  }
}
