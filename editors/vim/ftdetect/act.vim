au BufRead,BufNewFile *.act setfiletype act
