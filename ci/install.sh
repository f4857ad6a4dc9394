#!/bin/sh
# Installs keycull @VERSION@: downloads the archive for this system, checks it, and puts the program in place.
#
#   sh install.sh [--to DIRECTORY] [--from URL]
#
#   --to    where the program goes; ~/.local/bin unless named
#   --from  where the archives are; those of the release unless named (https, http or file)
#
# The release that publishes this file writes its version and the checksums of its archives into it: whoever has
# checked this file has checked what it installs. Nothing is put in place before its checksum and a first start were
# right, and whatever goes wrong, nothing is left behind. Needs tar, one of curl and wget, and one of sha256sum,
# shasum and openssl.
set -eu

version='@VERSION@'
from='@URL@'
checksums='
@CHECKSUMS@
'

fail() {
	echo "keycull was not installed: $1" >&2
	exit 1
}

usage() {
	echo "usage: sh install.sh [--to DIRECTORY] [--from URL]" >&2
	exit 2
}

# What this system is called in the names of archives.
target() {
	case $(uname -s)/$(uname -m) in
	Linux/x86_64 | Linux/amd64) echo x86_64-unknown-linux-musl ;;
	Linux/aarch64 | Linux/arm64) echo aarch64-unknown-linux-musl ;;
	Darwin/x86_64) echo x86_64-apple-darwin ;;
	Darwin/arm64 | Darwin/aarch64) echo aarch64-apple-darwin ;;
	MINGW*/x86_64 | MSYS*/x86_64 | CYGWIN*/x86_64) echo x86_64-pc-windows-msvc ;;
	*) return 1 ;;
	esac
}

has() {
	command -v "$1" >/dev/null 2>&1
}

# download URL FILE
download() {
	if has curl; then
		curl --fail --silent --show-error --location --proto '=https,http,file' --proto-redir '=https' \
			--connect-timeout 30 			--output "$2" "$1"
	elif has wget; then
		wget --quiet --timeout=30 --output-document="$2" "$1"
	else
		fail 'neither curl nor wget is here'
	fi
}

sha256() {
	if has sha256sum; then
		sha256sum <"$1"
	elif has shasum; then
		shasum -a 256 <"$1"
	elif has openssl; then
		openssl dgst -sha256 -r <"$1"
	else
		fail 'none of sha256sum, shasum and openssl is here'
	fi
}

main() {
	to=${HOME:-}/.local/bin
	while [ $# -gt 0 ]; do
		[ $# -ge 2 ] || usage
		case $1 in
		--to) to=$2 ;;
		--from) from=$2 ;;
		*) usage ;;
		esac
		shift 2
	done

	case $version in
	@*) fail 'this copy belongs to no release; take the install.sh of one' ;;
	esac
	target=$(target) || fail "there is no program for $(uname -s) on $(uname -m); build it with cargo"
	archive=keycull-$version-$target.tar.gz
	wanted=$(printf '%s\n' "$checksums" | sed -n "s/^\([0-9a-f]\{64\}\)  $archive\$/\1/p")
	[ -n "$wanted" ] || fail "this release has no checksum for $archive"

	mkdir -p "$to" || fail "$to cannot be made"
	# Beside the place it goes to, so that one step puts it there.
	work=$(mktemp -d "$to/.keycull-install.XXXXXX") || fail "nothing can be written to $to"
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' HUP TERM

	download "$from/$archive" "$work/archive" || fail "$from/$archive could not be downloaded"
	got=$(sha256 "$work/archive")
	got=${got%% *}
	if [ "$got" != "$wanted" ]; then
		fail "$archive is not what was released
  SHA-256 of the release:  $wanted
  of what was downloaded:  $got"
	fi

	program=keycull
	case $target in *windows*) program=keycull.exe ;; esac
	mkdir "$work/unpacked"
	tar -xzf "$work/archive" -C "$work/unpacked" || fail "$archive could not be unpacked"
	[ -f "$work/unpacked/$program" ] || fail "$archive holds no $program"
	chmod 755 "$work/unpacked/$program"
	said=$("$work/unpacked/$program" --version) || fail "$program of $archive does not run here"
	[ "$said" = "keycull $version" ] || fail "$archive holds \`$said\`, not keycull $version"
	mv -f "$work/unpacked/$program" "$to/$program" || fail "$to/$program could not be written"

	echo "installed $said as $to/$program"
	case :${PATH:-}: in
	*:"$to":*) ;;
	*) echo "$to is not on PATH" ;;
	esac
}

# Last, so that half a download of this file does nothing.
main "$@"
