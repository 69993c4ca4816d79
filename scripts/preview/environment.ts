/**
 * The engine's environment: the team's own backend if there is access to it, otherwise a temporary one. Pure.
 */

/** Variables that only make sense with the team's backend, or lead to a cluster. */
const OF_THE_TEAM = [
  "PULUMI_ACCESS_TOKEN",
  "PULUMI_BACKEND_URL",
  "PULUMI_CONFIG_PASSPHRASE",
  "PULUMI_CONFIG_PASSPHRASE_FILE",
  "PULUMI_STACK",
  "KUBECONFIG",
  "KUBERNETES_SERVICE_HOST",
  "KUBERNETES_SERVICE_PORT",
  "SSH_AUTH_SOCK",
];

const QUIET = {
  PULUMI_SKIP_UPDATE_CHECK: "true",
  // The event log, the engine's own account of what it would do, is an option for debugging.
  PULUMI_DEBUG_COMMANDS: "true",
};

/** A workflow passes a secret that is not configured as an empty string. */
const given = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name, value]) => value !== "" || !OF_THE_TEAM.includes(name)));

/** Whether the environment gives access to a state of the stacks. */
export const hasBackend = (env: NodeJS.ProcessEnv): boolean =>
  Boolean(env.PULUMI_ACCESS_TOKEN || env.PULUMI_BACKEND_URL);

export const teamEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ ...given(env), ...QUIET });

/**
 * Nothing of the team's, and no cluster: neither through KUBECONFIG, nor ~/.kube/config, nor the pod of a runner.
 */
export function throwAwayEnvironment(
  env: NodeJS.ProcessEnv,
  dir: { state: string; nowhere: string },
  passphrase: string,
): NodeJS.ProcessEnv {
  const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !OF_THE_TEAM.includes(name)));
  return {
    ...rest,
    ...QUIET,
    PULUMI_BACKEND_URL: `file://${dir.state}`,
    PULUMI_CONFIG_PASSPHRASE: passphrase,
    KUBECONFIG: dir.nowhere,
  };
}

/** With an organization, as the service names stacks. */
export const stackReference = (stack: string, env: NodeJS.ProcessEnv): string =>
  env.PULUMI_ORGANIZATION ? `${env.PULUMI_ORGANIZATION}/${stack}` : stack;
