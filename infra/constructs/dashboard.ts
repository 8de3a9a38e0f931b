import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Step } from '../monitoring/steps.ts';

const columns = 24;
const height = { heading: 2, graph: 5, alarms: 3 };

/**
 * One page that reads like the flow: a column for each step, from left to right, with its work above, what is wrong below;
 * over them all the alarms. A page is 24 units wide, so the steps stand in rows of three.
 */
export class FlowDashboard extends Construct {
  constructor(scope: Construct, id: string, { name, steps, alarms }: FlowDashboardProps) {
    super(scope, id);
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: name });
    dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms, width: columns, height: height.alarms }));
    for (let i = 0; i < steps.length; i += stepsInRow) {
      const row = steps.slice(i, i + stepsInRow);
      const width = columns / stepsInRow;
      dashboard.addWidgets(
        ...row.map(
          ({ title, says }) => new TextWidget({ markdown: `## ${title}\n${says}`, width, height: height.heading }),
        ),
      );
      for (const which of ['work', 'trouble'] as const)
        dashboard.addWidgets(...row.map((step) => graphOf(`${step.title}: ${which}`, step[which], width)));
    }
  }
}

const stepsInRow = 3;

interface FlowDashboardProps {
  name: string;
  /** In the order of the flow. */
  steps: Step[];
  alarms: Alarm[];
}

const graphOf = (title: string, [left, right = []]: [IMetric[], IMetric[]?], width: number) =>
  new GraphWidget({ title, left, right, width, height: height.graph, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } });
