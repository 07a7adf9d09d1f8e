# Runs a server that must not outlive the process that started it: "$@" is the server, standard input a pipe from that process.
# A line on the pipe is a command; when the pipe closes (the process has ended, however), the server is killed.
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(
  while read -r command <&3; do
    case $command in
      stop) kill -TERM $server ;;
      pause) kill -STOP $server ;;
      resume) kill -CONT $server ;;
    esac
  done
  kill -KILL $server
) 2>/dev/null &
watch=$!
wait $server
status=$?
kill -KILL $watch 2>/dev/null
exit $status
