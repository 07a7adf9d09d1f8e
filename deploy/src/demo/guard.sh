# Runs a service that must never outlive its starter: "$@" is the service, standard input a pipe from the starter.
# A line on the pipe is an order; its end (the starter is gone, however it went) kills the service. Says the service's number first.
exec 3<&0 </dev/null
"$@" 3<&- &
service=$!
echo "pid $service"
(
  while read -r order <&3; do
    case $order in
      stop) kill -TERM $service ;;
      kill) kill -KILL $service ;;
    esac
  done
  kill -KILL $service
) 2>/dev/null >/dev/null &
watch=$!
wait $service 2>/dev/null
status=$?
kill -KILL $watch 2>/dev/null
exit $status
