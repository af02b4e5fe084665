#!/bin/sh
# Makes what deploy/compose.yaml mounts: passwords, a certificate authority of your own, and
# certificates of the servers. Needs OpenSSL 3. Whatever is there already stays as it is; to renew a
# certificate or a password, remove its file, run this again, and start its readers anew.
#
#   sh deploy/make-secrets.sh [FOLDER]      default: deploy/secrets
set -eu
folder="${1:-$(dirname "$0")/secrets}"
mkdir -p "$folder"
# The folder is private. The files are not: containers read them as users of their own.
chmod 700 "$folder"
cd "$folder"
umask 022

password() {
    [ -e "$1" ] || openssl rand -hex 24 | tr -d '\n' > "$1"
}

certificate() { # NAME: signed by our authority for the host NAME, and for the machine itself
    [ -e "$1.crt" ] && return
    openssl req -x509 -CA ca.crt -CAkey ca.key -days 825 -noenc -newkey ec \
        -pkeyopt ec_paramgen_curve:prime256v1 -subj "/CN=$1" \
        -addext "subjectAltName=DNS:$1,DNS:localhost,IP:127.0.0.1" \
        -addext "basicConstraints=critical,CA:FALSE" \
        -addext "keyUsage=critical,digitalSignature" \
        -addext "extendedKeyUsage=serverAuth,clientAuth" \
        -addext "subjectKeyIdentifier=hash" -addext "authorityKeyIdentifier=keyid" \
        -keyout "$1.key" -out "$1.crt" 2> openssl.log || { cat openssl.log >&2; exit 1; }
    chmod 644 "$1.key"
}

if [ ! -e ca.crt ]; then
    openssl req -x509 -days 3650 -noenc -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
        -subj "/CN=Wirewatch authority" -addext "basicConstraints=critical,CA:TRUE" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -addext "subjectKeyIdentifier=hash" \
        -keyout ca.key -out ca.crt 2> openssl.log || { cat openssl.log >&2; exit 1; }
    chmod 400 ca.key # never mounted: who has it can be any of the servers
fi
for name in kafka elasticsearch kibana; do certificate "$name"; done
cat kafka.key kafka.crt > kafka.pem # Kafka wants both in one file

for name in kafka elastic kibana_system wirewatch-setup wirewatch-index wirewatch-read; do
    password "$name.password"
done
password kibana.encryption-key
# Seals what feeds and channels need to log in: who loses it has to give them anew.
[ -e secret.key ] || openssl rand -base64 32 > secret.key
password page.password # of the user `reader` of the search page
[ -e page.users ] || printf 'reader:%s\n' "$(openssl passwd -6 -in page.password)" > page.users
rm -f openssl.log
echo "Secrets are in $folder. Keep a copy of it; nothing of it belongs in version control."
