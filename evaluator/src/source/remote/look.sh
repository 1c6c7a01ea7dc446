# Says what is at the paths that are asked for. $1 stands for the root, of $2 bytes of a file at most are read, and no
# directory with more than $3 entries is listed. Standard input has a line per step down, and ends with a line of a dot:
#   s ID NAME  what is at the name; "d ID NAME" goes into it too, up to the "u" that belongs to it
#   c ID NAME  what is at the name, and its content where it is a regular file
#   l ID       what is in the directory
# Names are encoded for printf's %b. Answers end with a NUL, which neither names nor texts can hold. No step goes
# through a link: a directory is entered by one name, and is the one that was looked at, or it is left again.
LC_ALL=C
export LC_ALL
exec 5>&1
facts='%f %u %g %s %X %Z %Y %d %i'
size=$2
most=$3
say() {
  printf '%s\000' "$*"
}
name() {
  n=$(printf '%b.' "$1")
  n=./${n%.}
}
look() {
  m=$(stat -c "$facts" "$n" 2>&1 </dev/null)
  r=$?
  [ $r = 0 ] || { say x $1 $r "$m"; m=; return; }
  say m $1 "$m"
  case $m in
  a*)
    t=$(readlink -nv "$n" 2>&1 </dev/null; printf ' %s' $?)
    say t $1 "${t##* }" "${t% *}"
    ;;
  esac
}
content() {
  printf 'c %s ' $1
  s=$(
    exec 2>&1
    exec 3<"$n"
    case $m in
    *" $(stat -L -c '%d %i' /proc/self/fd/3 </dev/null)") ;;
    *) echo 'it was replaced meanwhile'; exit ;;
    esac
    {
      { head -c $size <&3; echo h$? >&4; } | { base64 -w 0 >&5; echo b$? >&4; }
    } 4>&1
  )
  say " $s"
}
each() {
  i=$1
  shift
  [ $# != 1 ] || [ -L "$1" ] || [ -e "$1" ] || return
  stat --printf "e $i $facts %n\\0" -- "$@" 2>/dev/null </dev/null
}
list() {
  if ! l=$(ls -1afq . 2>&1 </dev/null); then
    say k $1 "$l"
    return
  fi
  l=$(printf '%s\n' "$l" | wc -l)
  if [ $l -gt $most ]; then
    say k $1 "it has more than $most entries"
    return
  fi
  each $1 ./*
  each $1 ./.[!.]*
  each $1 ./..?*
  say l $1 $l
}
skip() {
  depth=1
  while [ $depth -gt 0 ] && read -r op id arg; do
    case $op in
    d) depth=$((depth + 1)) ;;
    u) depth=$((depth - 1)) ;;
    esac
  done
}
enter() {
  case $m in
  4*) ;;
  *) skip; return ;;
  esac
  (
    if cd -P "$n" 2>/dev/null && case $m in *" $(stat -c '%d %i' . </dev/null)") ;; *) false ;; esac; then
      walk
    else
      say f $1
      skip
    fi
  )
}
walk() {
  while read -r op id arg; do
    case $op in
    s) name "$arg"; look $id ;;
    c) name "$arg"; look $id; case $m in 8*) content $id ;; esac ;;
    d) name "$arg"; look $id; enter $id ;;
    l) list $id ;;
    u | .) return ;;
    esac
  done
}
for tool in base64 head ls readlink stat wc; do
  command -v $tool >/dev/null || { echo "the container has no $tool" >&2; exit 3; }
done
cd -P "$1" || exit 3
if [ "$(stat -c '%d %i' .)" = "$(stat -c '%d %i' /)" ]; then
  echo "what stands at $1 is the container's own root and not the node's" >&2
  exit 3
fi
n=.
look 0
walk
say end
