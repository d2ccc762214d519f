export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

/** What the shell has to load. Each script asks `tink __complete` for candidates, so it never gets out of date. */
export const scripts: Readonly<Record<Shell, string>> = {
  // Words are taken from the line itself: bash would split MAC addresses at their colons, and has to be given what follows the last.
  bash: `# bash completion for tink. Load it with:  source <(tink completion bash)
_tink() {
  local line="\${COMP_LINE:0:COMP_POINT}" text words=()
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local current="\${words[-1]}"
  COMPREPLY=()
  while IFS= read -r text; do
    case $text in
      :files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
      :folders) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    esac
    text="\${text%%$'\\t'*}"
    [[ $text == "$current"* ]] && COMPREPLY+=("$text")
  done < <(tink __complete "\${words[@]:1}" 2>/dev/null)
  local head="\${current%"\${current##*[:=]}"}" i
  if [[ -n $head && $COMP_WORDBREAKS == *[:=]* ]]; then
    for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]="\${COMPREPLY[i]#"$head"}"; done
  fi
}
complete -F _tink tink
`,
  zsh: `#compdef tink
# zsh completion for tink. Load it with:  source <(tink completion zsh)
_tink() {
  local line tab=$'\\t'
  local -a found
  for line in "\${(@f)$(tink __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      ('') ;;
      (:files) _files; return ;;
      (:folders) _files -/; return ;;
      (*$tab*) found+=("\${\${line%%$tab*}//:/\\\\:}:\${line#*$tab}") ;;
      (*) found+=("\${line//:/\\\\:}") ;;
    esac
  done
  _describe 'tink' found
}
if (( $+functions[compdef] )); then compdef _tink tink; fi
`,
  fish: `# fish completion for tink. Load it with:  tink completion fish | source
function __tink_complete
  set -l before (commandline -opc)
  set -l found (tink __complete $before[2..-1] (commandline -ct) 2>/dev/null)
  switch "$found[1]"
    case :files
      __fish_complete_path (commandline -ct)
    case :folders
      __fish_complete_directories (commandline -ct)
    case '*'
      printf '%s\\n' $found
  end
end
complete -c tink -f -a '(__tink_complete)'
`,
  powershell: `# PowerShell completion for tink. Load it with:  tink completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName tink -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  # Old versions drop empty arguments: the quotes stand for one.
  if ($wordToComplete -eq '') { $words += '""' }
  tink __complete @words 2>$null | ForEach-Object {
    $text, $about = $_ -split "\`t", 2
    if ($text -like "$wordToComplete*" -and -not $text.StartsWith(':')) {
      if (-not $about) { $about = $text }
      [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $about)
    }
  }
}
`,
};
