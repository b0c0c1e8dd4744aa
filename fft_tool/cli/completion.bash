# Completion of fft-tool for bash, also the old one of macOS.
#     source <(fft-tool completion bash)

# @COMMANDS@

_fft_tool() {
    local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT}
    local typed=${line##*[[:space:]]} flags='' words='' kind='' joined='' flag before=''
    COMPREPLY=()
    # Words as typed: readline has split them at ":" and "=".
    local given
    read -r -a given <<<"$line"
    [[ -z $typed ]] || given=("${given[@]:0:${#given[@]}-1}")
    if ((${#given[@]} < 2)); then
        words="$_fft_tool_commands --help --version"
    else
        flag=${given[${#given[@]}-1]}
        case $typed in --*=*) flag=${typed%%=*} typed=${typed#*=} ;; esac
        if _fft_tool_values "$flag"; then
            case $kind in
                path) return ;; # readline completes names of files
                text) compopt +o default +o bashdefault 2>/dev/null; return ;;
            esac
            case $joined in ?) before=${typed%"${typed##*"$joined"}"} ;; esac
            [[ -n $before ]] && words="$before${words// / $before}"
        else
            _fft_tool_flags "${given[1]}"
            [[ $typed == -* ]] && words=$flags
        fi
    fi
    [[ -n $words ]] || return
    COMPREPLY=($(compgen -W "$words" -- "$typed"))
    case ${COMPREPLY[*]} in *:) compopt -o nospace 2>/dev/null ;; esac
    # Readline replaces only what comes after the last ":" that has been typed.
    if [[ $typed == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local kept=${typed%"${typed##*:}"} number
        for number in "${!COMPREPLY[@]}"; do
            COMPREPLY[number]=${COMPREPLY[number]#"$kept"}
        done
    fi
}

complete -o default -o bashdefault -F _fft_tool fft-tool
