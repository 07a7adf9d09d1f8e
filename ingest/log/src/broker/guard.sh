# Runs a server that must never outlive its starter: "$@" is the server, standard input a pipe from the starter.
# A line on the pipe is an order; its end (the starter is gone, however it went) kills the server.
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(
  while read -r order <&3; do
    case $order in
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
