# Tells how a product was made and which files it has. This text is the same every time: what it
# works on comes in one word of base64, and no part of that is ever read as a command.
#
#   bash product.sh WORD
#
# The word holds the path of the product and the most files to be listed one by one, each with a
# zero byte at its end. It prints "made BASE64", the product's own account of itself, and "files
# BASE64": path, size and time of each file, each with a zero byte at its end; of too many files,
# each entry at the top of the product with the size of all that is in it. At last "done", or
# "failed CODE WORDS".
set -u -o pipefail
export LC_ALL=C
most_bytes=16777216

fail() {
    printf 'failed %s %s\n' "$1" "$2"
    exit 0
}

[ "$#" -eq 1 ] || fail usage 'expects one word'
parts=()
while IFS= read -r -d '' part; do
    parts+=("$part")
done < <(printf '%s' "$1" | base64 -d)
wait "$!" || fail usage 'the word is not base64'
[ "${#parts[@]}" -eq 2 ] || fail usage 'the word lacks parts'
product=${parts[0]} most=${parts[1]}
case $product in /*) ;; *) fail usage 'the path is not absolute' ;; esac
case $most in '' | *[!0-9]*) fail usage 'the number is none' ;; esac
cd -- "$product" 2>/dev/null || fail missing 'the product is not there'

for account in zarr.json provenance.json; do
    [ ! -f "$account" ] || break
done
[ -f "$account" ] || fail missing 'the product does not tell how it was made'
printf 'made %s\n' "$(head -c "$most_bytes" -- "$account" | base64 -w 0)"

count=$(find . -type f -printf x | head -c "$((most + 1))" | wc -c)
if [ "$count" -le "$most" ]; then
    list=$(find . -type f -printf '%P\0%s\0%T@\0' | base64 -w 0)
else
    list=$(
        find . -mindepth 1 -maxdepth 1 -print0 | while IFS= read -r -d '' top; do
            size=$(find "$top" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%.0f", sum }')
            printf '%s\0%s\0%s\0' "${top#./}" "$size" "$(stat -c %Y -- "$top")"
        done | base64 -w 0
    )
fi
[ -n "$list" ] || fail missing 'the product has no files'
printf 'files %s\ndone\n' "$list"
