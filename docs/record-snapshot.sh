#!/bin/sh
# Records what the rules read of the cluster that `oc` is logged in to, as a snapshot for `virtscap scan --snapshot`.
# A 404 and a 403 are answers too, and are kept as the API server's Status; whatever else fails is left out, so that the
# rules which want it are unknown.
#
#   sh docs/record-snapshot.sh FOLDER [build/api-resources.yaml]
set -eu
folder=${1:?name the folder to write to}
resources=${2:-$(dirname "$0")/../build/api-resources.yaml}

sed -n 's/^[- ]*path: //p' "$resources" | sort -u | while read -r path; do
    file=$folder$path.json
    mkdir -p "$(dirname "$file")"
    if oc get --raw "$path" >"$file.part" 2>"$file.error"; then
        mv "$file.part" "$file"
    elif grep -q -e NotFound -e 'could not find' "$file.error"; then
        echo '{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}' >"$file"
    elif grep -q -i forbidden "$file.error"; then
        echo '{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403}' >"$file"
    else
        echo "$path: $(cat "$file.error")" >&2
    fi
    rm -f "$file.part" "$file.error"
done
