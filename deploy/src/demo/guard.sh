# Runs a service that must end with the process that starts this script: "$@" is the service, standard input a pipe from that process.
# A line on the pipe is a command. The end of the pipe kills the service. Prints the service's process id first.
exec 3<&0 </dev/null
"$@" 3<&- &
service=$!
echo "pid $service"
(
  while read -r command <&3; do
    case $command in
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
