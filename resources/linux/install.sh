#!/bin/sh
# Puts Lyapunov Lab into this user's menu: an entry that starts the program in this folder, and icons.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
icons=$here/_internal/resources/icons

mkdir -p "$data/applications" "$data/icons/hicolor/scalable/apps"
for size in 32 64 128 256 512; do
    folder=$data/icons/hicolor/${size}x$size/apps
    mkdir -p "$folder"
    cp "$icons/lyapunov-lab-$size.png" "$folder/lyapunov-lab.png"
done
cp "$icons/lyapunov-lab.svg" "$data/icons/hicolor/scalable/apps/lyapunov-lab.svg"

program=$(printf '%s' "$here/lyapunov-lab" | sed 's/[\\&|]/\\&/g')
sed "s|^Exec=lyapunov-lab|Exec=\"$program\"|" "$here/lyapunov-lab.desktop" \
    > "$data/applications/lyapunov-lab.desktop"
echo "Lyapunov Lab is in the menu: $data/applications/lyapunov-lab.desktop"
