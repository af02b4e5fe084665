#!/bin/bash
# Gives Elasticsearch our roles, a user of the same name for each, and Kibana's password. Runs in
# Elasticsearch's own image at every start: what is there already is written again as it stands here.
set -euo pipefail
url="${ELASTICSEARCH_URL:-https://elasticsearch:9200}"
secrets="${SECRETS:-/run/secrets}"
roles="${ROLES:-/roles}"

put() { # METHOD PATH, the body on standard input; passwords stay out of the list of processes
    curl --silent --show-error --fail-with-body --max-time 30 --cacert "$secrets/ca.crt" \
        --config <(printf 'user = "elastic:%s"\n' "$(< "$secrets/elastic.password")") \
        --request "$1" --header 'Content-Type: application/json' --data-binary @- "$url$2"
    echo
}

printf '{"password": "%s"}' "$(< "$secrets/kibana_system.password")" |
    put POST /_security/user/kibana_system/_password
for file in "$roles"/*.json; do
    name="$(basename "$file" .json)"
    put PUT "/_security/role/$name" < "$file"
    printf '{"password": "%s", "roles": ["%s"]}' "$(< "$secrets/$name.password")" "$name" |
        put PUT "/_security/user/$name"
done
