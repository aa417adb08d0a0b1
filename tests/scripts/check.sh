# Run by ctest: check.sh TOP WORK. Stops at the first expectation that does not hold.
set -euo pipefail
top=$1 work=$2
rm -rf "$work"
mkdir -p "$work/bin"

fail() {
  printf 'check.sh: %s\n' "$*" >&2
  exit 1
}
stand_in() {
  { echo '#!/bin/sh'; cat; } >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}
# Runs what follows as on a bare machine: almost no environment, no input.
bare() { env -i PATH="$work/bin:/usr/bin:/bin" bash "$@" <&-; }

for script in .ci/run tests/run tests/bench/run tests/fuzz/run examples/run; do
  [[ -x $top/$script ]] || fail "$script is not executable"
  [[ $(bare "$top/$script" --help) == usage:* ]] || fail "$script --help says no usage"
done
for script in .ci/run tests/run tests/fuzz/run examples/run; do
  if bare "$top/$script" --no-such-option 2>/dev/null; then
    fail "$script takes an unknown option"
  fi
done

# A machine without libcaf-dev, whose package lists are empty until the first update.
stand_in dpkg-query <<END
case "\$*" in *libcaf-dev*) [ ! -e "$work/done" ] || printf installed ;; *) printf installed ;; esac
END
stand_in apt-get <<END
echo "\$*" >>"$work/calls"
case "\$*" in
  *update*) touch "$work/updated" ;;
  *install*) [ -e "$work/updated" ] || exit 100; touch "$work/done" ;;
esac
END
stand_in sudo <<'END'
[ "$1" = -n ] && shift
exec "$@"
END
install=". $top/.ci/common.sh; install_packages"
bare -c "$install" >/dev/null || fail "did not install"
grep -q 'install .*libcaf-dev$' "$work/calls" || fail "did not ask for just the missing package"
[[ -e $work/done ]] || fail "did not update and try again"
: >"$work/calls"
bare -c "$install"
[[ ! -s $work/calls ]] || fail "installs although nothing is missing"

# A user who is not root, with a sudo that refuses: nothing is tried, and the message names what is
# missing and what to do about it. In a folder that every user reads.
rm "$work/done"
without_rights=()
if ((EUID == 0)); then
  without_rights=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
open=$(mktemp -d)
trap 'rm -rf "$open"' EXIT
cp -r "$work/bin" "$open/bin"
mkdir "$open/.ci"
cp "$top/.ci/common.sh" "$open/.ci"
chmod -R a+rX "$open"
if ! "${without_rights[@]}" true 2>/dev/null; then
  echo "check.sh: root cannot become another user here: not tried without rights"
elif ! "${without_rights[@]}" cat "$open/.ci/common.sh" >/dev/null 2>&1; then
  echo "check.sh: another user cannot read $open, a new temporary folder: not tried without rights"
else
  touch "$open/calls"
  printf '#!/bin/sh\nexit 1\n' >"$open/bin/sudo"
  printf '#!/bin/sh\necho "$*" >>%s\n' "$open/calls" >"$open/bin/apt-get"
  chmod -R a+rX "$open"
  chmod a+w "$open/calls"
  if "${without_rights[@]}" env -i PATH="$open/bin:/usr/bin:/bin" \
    bash -c ". $open/.ci/common.sh; install_packages" >"$work/output" 2>"$work/error" <&-; then
    fail "goes on without its packages and without the right to install them"
  fi
  for line in '.*these packages are missing, and neither root nor sudo is at hand to install them:' \
    '  libcaf-dev' '  apt-get install -y --no-install-recommends libcaf-dev'; do
    grep -qx -- "$line" "$work/error" || fail "no line '$line' in: $(<"$work/error")"
  done
  [[ ! -s $open/calls && ! -s $work/output ]] || fail "asks apt-get without the right to"
fi

# apt-get that never works: the message names the package.
stand_in apt-get <<'END'
exit 100
END
if bare -c "$install" >/dev/null 2>"$work/error"; then
  fail "goes on without its packages"
fi
grep -q libcaf-dev "$work/error" || fail "does not name the missing package"
