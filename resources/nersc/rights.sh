# Opens files to a group, closes them, or tells how they stand. This text is the same every time:
# what it works on comes in one word of base64, and no part of that is ever read as a command.
#
#   bash rights.sh WORD
#
# The word holds parts that end in a zero byte, which no name can hold: what to do (give, take or
# look), the folder, the group, the means (group, acl or auto), then paths below the folder. Each
# folder on the way to a file is opened with it; links are not followed. What it prints is in a
# closed alphabet: for each object of path N its raw mode, its group and the group's ACL rights,
# or "N missing"; at last "done", or "failed CODE WORDS".
set -u -o pipefail
export LC_ALL=C

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
[ "${#parts[@]}" -gt 4 ] || fail usage 'the word lacks parts'
verb=${parts[0]} root=${parts[1]} group=${parts[2]} how=${parts[3]}
paths=("${parts[@]:4}")

case $verb in give | take | look) ;; *) fail usage 'there is no such verb' ;; esac
case $how in group | acl | auto) ;; *) fail usage 'there is no such means' ;; esac
case $group in '' | *[!a-z0-9_-]* | [!a-z_]*) fail group 'this is no name of a group' ;; esac
case $root in /*) ;; *) fail usage 'the folder is not absolute' ;; esac
for path in "${paths[@]}"; do
    case /$path/ in */../* | */./* | *//*) fail unsafe 'a path leaves the folder' ;; esac
done
cd -- "$root" 2>/dev/null || fail missing 'the folder is not there'
getent group "$group" >/dev/null || fail group 'there is no such group'

# Fills `objects` with the folders on the way to a path, and the path itself.
objects=()
objects_of() {
    local rest=$1 walked=.
    objects=()
    while [ "$rest" != "${rest#*/}" ]; do
        walked=$walked/${rest%%/*}
        rest=${rest#*/}
        objects+=("$walked")
    done
    objects+=("$walked/$rest")
}

by_group() {
    chgrp -h -- "$group" "$1" 2>/dev/null || return 1
    if [ -d "$1" ]; then
        chmod g+rxs,g-w,o-rwx -- "$1" 2>/dev/null
    else
        chmod g+r,g-wx,o-rwx -- "$1" 2>/dev/null
    fi
}

by_acl() {
    command -v setfacl >/dev/null || return 1
    chmod o-rwx -- "$1" 2>/dev/null || return 1
    if [ -d "$1" ]; then
        setfacl -m "g:$group:r-x,d:g:$group:r-x" -- "$1" 2>/dev/null
    else
        setfacl -m "g:$group:r--" -- "$1" 2>/dev/null
    fi
}

give() {
    case $how in
        group) by_group "$1" ;;
        acl) by_acl "$1" ;;
        auto) by_group "$1" || by_acl "$1" ;;
    esac
}

# Only the file is closed: other files may still be open to the same folder's readers.
take() {
    if [ "$(stat -c %G -- "$1")" = "$group" ]; then
        chmod g-rwx -- "$1" 2>/dev/null || return 1
    fi
    [ "$(acl_of "$1")" = - ] || setfacl -x "g:$group" -- "$1" 2>/dev/null
}

# Prints the rights that the ACL gives to the group, or a dash.
acl_of() {
    local line rights=-
    if command -v getfacl >/dev/null; then
        while IFS= read -r line; do
            case $line in
                "group:$group:"*'#effective:'*) rights=${line##*#effective:} ;;
                "group:$group:"*) rights=${line#"group:$group:"} ;;
            esac
        done < <(getfacl -cpe -- "$1" 2>/dev/null)
    fi
    printf '%s' "${rights:0:3}"
}

number=0
for path in "${paths[@]}"; do
    objects_of "$path"
    last=${objects[${#objects[@]} - 1]}
    for object in "${objects[@]}"; do
        [ ! -L "$object" ] || fail unsafe "path $number has a link in it"
    done
    if [ ! -e "$last" ]; then
        [ "$verb" = look ] || fail missing "path $number is not there"
        printf '%s missing\n' "$number"
    else
        for object in "${objects[@]}"; do
            case $verb in
                give) give "$object" || fail denied "path $number cannot be opened to the group" ;;
                take) [ "$object" != "$last" ] || take "$object" || fail denied "path $number cannot be closed" ;;
            esac
            printf '%s %s %s\n' "$number" "$(stat -c '%f %G' -- "$object")" "$(acl_of "$object")"
        done
    fi
    number=$((number + 1))
done
printf 'done\n'
