" Vim file type plugin for .act, descriptions of neural networks.
if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:##,:# commentstring=#\ %s formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=4 softtabstop=4 suffixesadd=.act
setlocal include=^\\s*import\\s define=^\\s*\\(activation\\|function\\|block\\|loss\\|initializer\\|optimizer\\|schedule\\|param\\|model\\|data\\)\\s
" :make shows what `actc check` finds.
setlocal makeprg=actc\ check\ --error-format=short\ %:S
setlocal errorformat=%f:%l:%c:\ %t%*[^:]:\ %m
if executable("actc")
  setlocal formatprg=actc\ fmt\ -
endif
let b:undo_ftplugin = "setl com< cms< fo< et< sw< sts< sua< inc< def< mp< efm< fp<"
