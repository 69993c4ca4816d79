/** A command in network, mount and process namespaces of its own: traffic and mounts stay there. */

/**
 * Arguments of `unshare` for a command.
 *
 * A /run of its own: were only /run/netns mounted over, an `rmdir /run/netns` elsewhere on the machine would take the
 * mount away. The process namespace ends with its first process, and every program of the tests with it.
 *
 * @param name What the command is called in its own messages.
 */
export const inOwnNamespaces = (name: string, command: readonly string[]): string[] => [
  ...["--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"],
  ...["bash", "-c", 'ip link set lo up; mount -t tmpfs run /run; mkdir /run/netns; exec "$@"'],
  name,
  ...command,
];
