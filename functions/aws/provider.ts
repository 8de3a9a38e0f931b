import { en } from 'zod/locales';
import * as z from 'zod/mini';

// zod/mini has no error messages of its own.
z.config(en());

/** Creates one service of the AWS engine from the environment variables that it names. */
export interface Provider<Variables extends z.core.$ZodShape, Service> {
  variables: Variables;
  create(environment: z.output<z.ZodMiniObject<Variables>>): Service | Promise<Service>;
}

/** Returns its argument. TypeScript infers the types of the provider from it. */
export const provider = <Variables extends z.core.$ZodShape, Service>(one: Provider<Variables, Service>) => one;

// biome-ignore lint/suspicious/noExplicitAny: stands for the provider of any service, whatever its variables are
type AnyProvider = Provider<any, any>;
type Bound<Providers extends Record<string, AnyProvider>> = {
  [Name in keyof Providers]: Awaited<ReturnType<Providers[Name]['create']>>;
};

/**
 * Creates the services of a function, once when it starts. The function keeps them from one call to the next.
 *
 * @throws Error naming every variable that is missing or wrong
 */
export async function bind<Providers extends Record<string, AnyProvider>>(
  providers: Providers,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Bound<Providers>> {
  const variables = Object.assign({}, ...Object.values(providers).map((each) => each.variables));
  // The environment is parsed once, and compiling a parser for it would take longer than that.
  const result = z.object(variables).safeParse(environment, { jitless: true });
  if (!result.success)
    throw new Error(
      result.error.issues.map(({ path, message }) => `environment variable ${path.join('.')}: ${message}`).join('; '),
    );
  const services = Object.entries(providers).map(async ([name, each]) => [name, await each.create(result.data)]);
  return Object.fromEntries(await Promise.all(services)) as Bound<Providers>;
}
