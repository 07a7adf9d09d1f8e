# Runs a program that must end with the process that starts this script: "$@" is the program, standard input a pipe from that process.
# A line on the pipe is a command. The end of the pipe kills the program. Prints the program's process id first.
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
echo "pid $program"
(
  while read -r command <&3; do
    case $command in
      stop) kill -TERM $program ;;
      kill) kill -KILL $program ;;
      pause) kill -STOP $program ;;
      resume) kill -CONT $program ;;
    esac
  done
  kill -KILL $program
) 2>/dev/null >/dev/null &
watch=$!
wait $program 2>/dev/null
status=$?
kill -KILL $watch 2>/dev/null
exit $status
