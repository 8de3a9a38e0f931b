import * as z from 'zod';
import { engineVersions, zoneCountOf } from '../../../infra/config.ts';
import type { Deployment } from '../../../infra/flags.ts';
import type { Aws } from './aws-cli.ts';
import { type Finding, ok, problem } from './findings.ts';

/**
 * The zones without RDS Proxy, by their ids, which name the same zone in every account.
 * (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html#rds-proxy.limitations)
 */
const withoutProxy = ['use1-az3'];

const zones = z.object({
  AvailabilityZones: z.array(
    z.object({
      ZoneName: z.string(),
      ZoneId: z.string(),
      ZoneType: z.string().default('availability-zone'),
      State: z.string(),
    }),
  ),
});

/**
 * Checks that the region has enough zones, and that the zones of the network offer everything that is created in them.
 * The zones are those of the flag `zones`, otherwise the first ones of the region.
 */
export async function checkZones(aws: Aws, deployment: Deployment): Promise<Finding[]> {
  const { AvailabilityZones } = zones.parse(await aws('ec2', 'describe-availability-zones'));
  const known = AvailabilityZones.filter(({ ZoneType }) => ZoneType === 'availability-zone').sort((a, b) =>
    a.ZoneName < b.ZoneName ? -1 : 1,
  );
  const needed = zoneCountOf(deployment.stage);
  const offers = await offersOf(aws, deployment);
  /** Returns what the zone at this position of the network lacks. */
  const lacking = ({ ZoneName, ZoneId, State }: (typeof known)[number], position = 0): string[] => [
    ...(State === 'available' ? [] : ['the state "available"']),
    ...(!deployment.mysql && withoutProxy.includes(ZoneId) ? ['RDS Proxy'] : []),
    ...offers
      .filter((offer) => position < offer.zoneCount && offer.zones !== 'any' && !offer.zones.has(ZoneName))
      .map(({ what }) => what),
  ];
  const missing = offers.filter(({ zones }) => zones !== 'any' && zones.size === 0).map(({ what }) => what);
  if (missing.length > 0)
    return [
      problem(
        `this region does not offer ${missing.join(' and ')}: choose another region, or another size in infra/config.ts`,
      ),
    ];
  const complete = known.filter((zone) => lacking(zone).length === 0).map(({ ZoneName }) => ZoneName);
  const remedy =
    complete.length < needed
      ? `only ${complete.join(', ') || 'no zone'} offers everything, but the stage needs ${needed} zones: choose another region`
      : `pass "zones": "${complete.slice(0, needed).join(',')}"`;
  const wanted = deployment.zones ?? known.slice(0, needed).map(({ ZoneName }) => ZoneName);
  if (wanted.length < needed)
    return [problem(`this region has ${known.length} zones, but the stage needs ${needed}: choose another region`)];
  const problems = wanted.flatMap((name, position) => {
    const zone = known.find(({ ZoneName }) => ZoneName === name);
    if (!zone) return [problem(`${name} is not a zone of this region: ${remedy}`)];
    const lacks = lacking(zone, position);
    return lacks.length > 0 ? [problem(`${name} (${zone.ZoneId}) lacks ${lacks.join(', ')}: ${remedy}`)] : [];
  });
  if (problems.length > 0) return problems;
  const offered = offers.map(({ what }) => what).join(' and ');
  return [ok(`${wanted.join(', ')}${offered && ` offer ${offered}`}`)];
}

const searchVersion = `OpenSearch_${engineVersions.opensearch}`;

interface Offer {
  /** What the stage creates. */
  what: string;
  /** The names of the zones in which it can be created; `any` if AWS says only that the region offers it. */
  zones: Set<string> | 'any';
  /** In how many zones of the network it is created: always in the first ones. */
  zoneCount: number;
}

/** Returns what the stage creates in the zones of its network, with the zones that offer it. */
async function offersOf(aws: Aws, deployment: Deployment): Promise<Offer[]> {
  const { database, searchDomain } = deployment.stage;
  const offers: Offer[] = [];
  if (database && !deployment.mysql) {
    const { OrderableDBInstanceOptions } = z
      .object({
        OrderableDBInstanceOptions: z.array(
          z.object({
            EngineVersion: z.string(),
            StorageType: z.string(),
            MultiAZCapable: z.boolean(),
            AvailabilityZones: z.array(z.object({ Name: z.string() })),
          }),
        ),
      })
      .parse(
        await aws(
          'rds',
          'describe-orderable-db-instance-options',
          ...['--engine', 'mysql', '--db-instance-class', `db.${database.instanceType}`],
        ),
      );
    const fitting = OrderableDBInstanceOptions.filter(
      ({ EngineVersion, StorageType, MultiAZCapable }) =>
        EngineVersion.startsWith(`${engineVersions.mysql}.`) &&
        StorageType === 'gp3' &&
        (MultiAZCapable || !database.multiAz),
    );
    offers.push({
      what: `MySQL ${engineVersions.mysql} on db.${database.instanceType}`,
      zones: new Set(fitting.flatMap(({ AvailabilityZones }) => AvailabilityZones.map(({ Name }) => Name))),
      zoneCount: zoneCountOf(deployment.stage),
    });
  }
  if (searchDomain && !deployment.opensearchUrl) {
    const { instanceType } = searchDomain;
    const { InstanceTypeDetails } = z
      .object({
        InstanceTypeDetails: z.array(
          z.object({ InstanceType: z.string(), AvailabilityZones: z.array(z.string()).nullish() }),
        ),
      })
      .parse(
        await aws(
          'opensearch',
          'list-instance-type-details',
          // Without the last flag, the response has no zones.
          ...['--engine-version', searchVersion, '--instance-type', instanceType, '--retrieve-azs'],
        ),
      );
    offers.push({
      what: `OpenSearch ${engineVersions.opensearch} on ${instanceType}`,
      zones: InstanceTypeDetails.some(({ AvailabilityZones }) => !AvailabilityZones)
        ? 'any'
        : new Set(InstanceTypeDetails.flatMap(({ AvailabilityZones }) => AvailabilityZones ?? [])),
      zoneCount: searchDomain.nodes,
    });
  }
  return offers;
}
