import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Column } from '../monitoring/columns.ts';

/** The width of a dashboard, in CloudWatch's grid units. */
const gridWidth = 24;
/** The heights of the widgets, in grid units. */
const height = { heading: 2, graph: 5, alarms: 3 };

/**
 * A dashboard of one page. At the top it shows the alarms. Below, each part of the data flow has a column: its
 * description, a graph of its work and a graph of its problems. The columns stand in rows of three.
 */
export class FlowDashboard extends Construct {
  constructor(scope: Construct, id: string, { name, columns, alarms }: FlowDashboardProps) {
    super(scope, id);
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: name });
    dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms, width: gridWidth, height: height.alarms }));
    for (let i = 0; i < columns.length; i += columnsInRow) {
      const row = columns.slice(i, i + columnsInRow);
      const width = gridWidth / columnsInRow;
      dashboard.addWidgets(
        ...row.map(
          ({ title, description }) =>
            new TextWidget({ markdown: `## ${title}\n${description}`, width, height: height.heading }),
        ),
      );
      for (const which of ['work', 'problems'] as const)
        dashboard.addWidgets(...row.map((column) => graphOf(`${column.title}: ${which}`, column[which], width)));
    }
  }
}

const columnsInRow = 3;

interface FlowDashboardProps {
  /** The name of the dashboard, unique in the account. */
  name: string;
  /** The columns, in the order of the data flow. */
  columns: Column[];
  alarms: Alarm[];
}

const graphOf = (title: string, [left, right = []]: [IMetric[], IMetric[]?], width: number) =>
  new GraphWidget({ title, left, right, width, height: height.graph, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } });
