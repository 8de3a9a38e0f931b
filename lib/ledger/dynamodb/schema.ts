import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';

/**
 * The attributes of the ledger's table: a partition key and a sort key, both strings, and the time after which DynamoDB
 * removes the item, in seconds since 1970.
 */
export const ledgerTable = { partitionKey: 'pk', sortKey: 'sk', expiry: 'expires' } as const;

const definition: Omit<CreateTableCommandInput, 'TableName'> = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [ledgerTable.partitionKey, ledgerTable.sortKey].map((AttributeName) => ({
    AttributeName,
    AttributeType: 'S',
  })),
  KeySchema: [
    { AttributeName: ledgerTable.partitionKey, KeyType: 'HASH' },
    { AttributeName: ledgerTable.sortKey, KeyType: 'RANGE' },
  ],
};

/** Creates the table if it does not exist, for development and tests. On AWS, the CDK stack creates it. */
export async function createLedgerTable(client: DynamoDBClient, TableName: string): Promise<void> {
  try {
    await client.send(new CreateTableCommand({ TableName, ...definition }));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}
