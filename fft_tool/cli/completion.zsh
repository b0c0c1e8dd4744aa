#compdef fft-tool
# Completion of fft-tool for zsh.
#     source <(fft-tool completion zsh)
# after compinit, or as a file called _fft-tool in a folder of $fpath.

typeset -ga _fft_tool_commands

# @COMMANDS@

# Offer words that may be joined by a separator ("-" if not); one that ends in ":" is continued.
_fft_tool_words() {
    local separator=$1
    shift
    [[ $separator == - ]] || compset -P "*$separator"
    local -a whole open
    whole=(${@:#*:})
    open=(${(M)@:#*:})
    (( $#whole )) && compadd -- $whole
    (( $#open )) && compadd -S '' -- $open
}

_fft_tool() {
    local context state state_descr line ret=1
    typeset -A opt_args
    _arguments -C '--help[show help]' '--version[show the version]' \
        '1:command:->command' '*::argument:->arguments' && ret=0
    case $state in
        command) _describe command _fft_tool_commands && ret=0 ;;
        arguments) _fft_tool_arguments $words[1] && ret=0 ;;
    esac
    return ret
}

if [[ $funcstack[1] == _fft-tool ]]; then
    _fft_tool "$@"
else
    compdef _fft_tool fft-tool
fi
