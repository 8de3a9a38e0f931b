import { en } from 'zod/locales';
import * as z from 'zod/mini';

// The small edition of zod has no words of its own to say what is wrong.
z.config(en());

/** Makes one service of the AWS engine from the variables of the environment that it names. */
export interface Provider<Variables extends z.core.$ZodShape, Service> {
  variables: Variables;
  create(environment: z.output<z.ZodMiniObject<Variables>>): Service | Promise<Service>;
}

/** Only for the types: they follow from the argument. */
export const provider = <Variables extends z.core.$ZodShape, Service>(one: Provider<Variables, Service>) => one;

// biome-ignore lint/suspicious/noExplicitAny: stands for the provider of any service, whatever its variables are
type AnyProvider = Provider<any, any>;
type Bound<Providers extends Record<string, AnyProvider>> = {
  [Name in keyof Providers]: Awaited<ReturnType<Providers[Name]['create']>>;
};

/**
 * Makes the services that a function works with, once when it starts; it keeps them from one call to the next.
 *
 * @throws Error naming every variable that is missing or wrong
 */
export async function bind<Providers extends Record<string, AnyProvider>>(
  providers: Providers,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Bound<Providers>> {
  const variables = Object.assign({}, ...Object.values(providers).map((each) => each.variables));
  // It is parsed but once: to compile a parser for it would take longer.
  const result = z.object(variables).safeParse(environment, { jitless: true });
  if (!result.success)
    throw new Error(
      result.error.issues.map(({ path, message }) => `environment variable ${path.join('.')}: ${message}`).join('; '),
    );
  const services = Object.entries(providers).map(async ([name, each]) => [name, await each.create(result.data)]);
  return Object.fromEntries(await Promise.all(services)) as Bound<Providers>;
}
