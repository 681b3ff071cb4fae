#!/bin/bash
# Start a program in two processes that see each other over a network of a given rate, as two machines would.
#
#     scripts/benchmarks/two_machines.sh 1gbit python -m scripts.benchmarks.machines --measure small
#
# Each process gets a network namespace of its own on this Linux machine, and a pair of virtual network cards joins
# them; tc holds back what goes over these ("none" doesn't). Needs root, iproute2 and the extra mpi.
set -euo pipefail

if [[ -n ${LAUNCHES_FOR_MPIEXEC-} ]]; then # mpiexec calls this in place of ssh: [options] HOST PROGRAM...
    while [[ $1 == -* ]]; do shift; done
    namespace=machine$((${1##*.} - 1))
    shift
    exec ip netns exec "$namespace" unshare --uts bash -c "hostname $namespace; $*"
fi

rate=$1 hosts=$(mktemp)
shift
trap 'rm -f "$hosts"; ip netns del machine0; ip netns del machine1' EXIT
ip netns add machine0
ip netns add machine1
ip link add card netns machine0 type veth peer name card netns machine1
for i in 0 1; do
    ip -n machine$i address add 10.9.0.$((i + 1))/24 dev card
    ip -n machine$i link set card up
    ip -n machine$i link set lo up
    if [[ $rate != none ]]; then
        tc -n machine$i qdisc add dev card root tbf rate "$rate" burst 512k latency 200ms
    fi
    echo "10.9.0.$((i + 1)):1" >> "$hosts"
done
for i in 0 1; do
    until [[ $(ip -n machine$i -brief link show card) == *" UP "* ]]; do sleep 0.1; done # it takes a moment
done
export LAUNCHES_FOR_MPIEXEC=1 UCX_TLS=tcp,self UCX_NET_DEVICES=card
ip netns exec machine0 mpiexec -launcher ssh -launcher-exec "$(realpath "$0")" -f "$hosts" -ppn 1 -n 2 "$@"
