#!/bin/bash
# Prints the stacks that have a file, as the JSON list for a workflow's matrix. In bash, so that the job, which only lists
# them, need not install the packages.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/../.."
names=()
for file in Pulumi.*.yaml; do
  name=${file#Pulumi.}; name=${name%.yaml}
  # The name becomes part of job names, artifacts and paths.
  [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || { echo "$file: \"$name\" is not a valid stack name; allowed are letters, digits, '.', '_' and '-', a letter or digit first. Rename the file." >&2; exit 1; }
  names+=("\"$name\"")
done
[ ${#names[@]} -gt 0 ] || { echo "no Pulumi.<stack>.yaml here: there is no stack to preview. Copy Pulumi.small.yaml from the project's history." >&2; exit 1; }
list="[$(IFS=,; echo "${names[*]}")]"
echo "stacks: $list"
[ -z "${GITHUB_OUTPUT:-}" ] || echo "stacks=$list" >> "$GITHUB_OUTPUT"
