#!/bin/sh
# A worker's lasting name is its host's: unique for every replica, and the same after a restart, so
# that one moves no partition (compose: the container's name; Kubernetes: the pod's, `tag-0`).
set -eu
: "${WIREWATCH_LOG__MEMBER:=$(hostname)}"
export WIREWATCH_LOG__MEMBER
rm -rf "${TMPDIR:-/tmp}"/wirewatch-table-* # of a run before this one, where it was killed
exec wirewatch "$@"
