#compdef alm
_alm() {
    local line
    local -a found
    while IFS=$'\t' read -r word meaning; do
        found+=("${word//:/\\:}:${meaning}")
    done < <("${words[1]}" complete -- "${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)
    if (( ${#found} )); then _describe 'alm' found; else _files; fi
}
compdef _alm alm
