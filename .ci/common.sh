# Shared by .ci/run, tests/run, tests/bench/run and examples/run; sourced, never run.
# What a bare Debian 12 needs, and how it gets there.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The one list of packages: the library and its examples, then what only the tests need.
packages=(g++ cmake ninja-build
  libcaf-dev librocksdb-dev libprotobuf-dev protobuf-compiler libre2-dev libexpected-dev
  nlohmann-json3-dev libcli11-dev
  libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev)

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

missing_packages() {
  local name
  for name in "${packages[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || echo "$name"
  done
}

# Installs what is missing and nothing else; needs root or a sudo that works.
install_packages() {
  local missing as_root=()
  command -v dpkg-query apt-get >/dev/null ||
    die "this needs Debian 12 (apt-get), or by hand what is listed in .ci/common.sh"
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    # Without a terminal nobody could type a password.
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo -v; }; }; then
      as_root=(sudo)
    else
      die "these packages are missing, and neither root nor sudo is at hand to install them:
  ${missing[*]}
Install them as root, then run this again:
  apt-get install -y --no-install-recommends ${missing[*]}"
    fi
  fi
  echo "== installing ${missing[*]}"
  local get=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y
    -o Dpkg::Use-Pty=0 -o Acquire::Retries=3)
  local log
  log=$(mktemp)
  # The lists of a fresh machine are empty or old: update only if the first attempt fails.
  if ! "${get[@]}" install --no-install-recommends "${missing[@]}" >"$log" 2>&1 </dev/null &&
    ! { "${get[@]}" update && "${get[@]}" install --no-install-recommends "${missing[@]}"; } \
      >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get could not install: ${missing[*]}"
  fi
  rm -f "$log"
}

# build PRESET [TARGET...]: configures if needed and builds; quiet unless it fails.
build() {
  local preset=$1
  shift
  local log=$root/build/$preset/build.log started=$SECONDS
  mkdir -p "$root/build/$preset"
  echo "== building $preset (log: build/$preset/build.log)"
  if ! (cd "$root" && cmake --preset "$preset" && cmake --build --preset "$preset" --parallel \
    "$(nproc)" ${1:+--target "$@"}) >"$log" 2>&1 </dev/null; then
    grep -E -A 12 'error|FAILED|CMake Error' "$log" | head -n 60 >&2 || true
    die "building $preset failed; everything is in $log"
  fi
  echo "== built $preset in $((SECONDS - started)) s"
}
