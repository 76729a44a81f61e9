" Vim syntax file for .act, descriptions of neural networks. Written by editors/grammar.py from the compiler's own words.
if exists("b:current_syntax")
  finish
endif
let s:cpo = &cpo
set cpo&vim
syn case match
syn iskeyword @,48-57,_

syn keyword actLayer adaptive_avg_pool attention avg_pool batch_norm concat conv1d conv2d conv_transpose2d crop
syn keyword actLayer depthwise_conv2d drop_path dropout embedding flatten gaussian_noise geglu global_avg_pool glu
syn keyword actLayer group_norm gru instance_norm layer_norm linear log_softmax logsumexp lstm max max_pool mean one_hot
syn keyword actLayer pad parameter permute pick pixel_shuffle position prelu reglu repeat reshape rms_norm rnn slice
syn keyword actLayer softmax spatial_dropout split stop_gradient sum swiglu upsample
syn keyword actActivation abs add cos div elu eq erf exp expm1 floor gelu gelu_tanh hard_sigmoid hard_swish hard_tanh le
syn keyword actActivation leaky_relu log log1p log_counter_probability log_probability log_sigmoid lt min mish mul neg pow
syn keyword actActivation relu relu6 schedule_progress select selu sigmoid silu sin softplus softsign sqrt sub swish tanh
syn keyword actLoss accuracy auc bce bce_with_logits cross_entropy f1 huber kl mae mse nll perplexity precision r2
syn keyword actLoss recall top_k
syn keyword actTraining adam adamw constant cosine kaiming_normal kaiming_uniform lecun_normal lecun_uniform normal ones
syn keyword actTraining orthogonal rmsprop sgd step truncated_normal uniform xavier_normal xavier_uniform zeros
syn keyword actReader csv idx images normalize npy shift text
syn keyword actType binary class f32 token

" A keyword of a statement is one where a statement begins and no `=` follows; as anything else it is a name.
syn match actStatement /\%(^\|[;{}]\)\s*\zs\%(activation\|block\|data\|function\|import\|initializer\|input\|loss\|metric\|model\|optimizer\|output\|param\|schedule\|share\|state\|target\|train\)\>\ze\s*[^=: \t]/
syn match actSetting /\%(^\|[;{}]\)\s*\zs\%(accumulate\|average\|batch\|checkpoint\|clip\|data\|epochs\|monitor\|optimizer\|schedule\|seed\|start\|stop\)\>\ze\s\+[^=:{][^{]*$/
syn match actPart /\%(^\|[;{}]\)\s*\zs\%(train\|test\|validation\)\>\ze\s*{/

syn region actBrackets matchgroup=actDelimiter start=/(/ end=/)/ transparent contains=TOP,actStatement,actSetting,actPart
syn match actField /\.\s*\zs\%(channels\|features\|shape\)\>/
syn keyword actJoin as in when for if then else
syn keyword actConstant true false pi auto

syn match actNumber /\<\d\+\%(\.\d\+\)\=\%([eE][-+]\=\d\+\)\=\>/
syn match actOperator /|>\|\.\.\|[-+*\/^<>=!]=\=/
syn region actString start=/"/ skip=/\\./ end=/"/ end=/$/ oneline
syn match actAllow /@allow\>/
syn match actComment /#.*$/ contains=@Spell
syn match actDoc /##.*$/ contains=@Spell

hi def link actLayer Function
hi def link actActivation Function
hi def link actLoss Function
hi def link actTraining Function
hi def link actReader Function
hi def link actType Type
hi def link actStatement Statement
hi def link actSetting Keyword
hi def link actPart Keyword
hi def link actField Identifier
hi def link actJoin Conditional
hi def link actConstant Constant
hi def link actNumber Number
hi def link actOperator Operator
hi def link actString String
hi def link actAllow PreProc
hi def link actComment Comment
hi def link actDoc SpecialComment

let b:current_syntax = "act"
let &cpo = s:cpo
unlet s:cpo
