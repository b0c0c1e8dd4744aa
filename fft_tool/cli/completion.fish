# Completion of fft-tool for fish.
#     fft-tool completion fish | source

# Words behind those that are already there, joined by a separator.
function __fft_tool_joined --argument-names separator
    set -l typed (string replace -r -- '^--[a-z-]+=' '' (commandline -ct))
    set -l before (string match -r -- ".*[$separator]" $typed; or echo '')
    for word in $argv[2..-1]
        echo $before$word
    end
end

complete -c fft-tool -n __fish_use_subcommand -f -l version -d 'show the version'
complete -c fft-tool -l help -s h -f -d 'show help'
# @COMMANDS@
