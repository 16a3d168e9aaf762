# bash with every kind of redirection, process substitution, a coprocess, sub-shells, traps.
exec 3<>both 4>>log
echo one >&3
read -r line <<<"here"
cat <<END >doc
a document of $line
END
diff <(sort doc) <(sort both)
mkdir -p a/b && cd a/b && cd - >/dev/null
trap 'echo caught >&4' USR1
kill -USR1 $$
(cd a; : >b/"new file"; exec 3>&-; ls -l /proc/self/fd >/dev/null)
coproc cat
echo x >&"${COPROC[1]}"
read -r y <&"${COPROC[0]}"
kill $COPROC_PID
wait
