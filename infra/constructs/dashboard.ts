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

/** The width of a dashboard, in CloudWatch's grid units. */
const columns = 24;
/** The heights of the widgets, in grid units. */
const height = { heading: 2, graph: 5, alarms: 3 };

/**
 * A dashboard of one page. At the top it shows the alarms. Below, each step of the data flow has a column: its
 * description, a graph of its work and a graph of its problems. The columns stand in rows of three.
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
          ({ title, description }) =>
            new TextWidget({ markdown: `## ${title}\n${description}`, width, height: height.heading }),
        ),
      );
      for (const which of ['work', 'problems'] as const)
        dashboard.addWidgets(...row.map((step) => graphOf(`${step.title}: ${which}`, step[which], width)));
    }
  }
}

const stepsInRow = 3;

interface FlowDashboardProps {
  /** The name of the dashboard, unique in the account. */
  name: string;
  /** The steps, in the order of the data flow. */
  steps: Step[];
  alarms: Alarm[];
}

const graphOf = (title: string, [left, right = []]: [IMetric[], IMetric[]?], width: number) =>
  new GraphWidget({ title, left, right, width, height: height.graph, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } });
