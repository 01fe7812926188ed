/** Commands of Linux programs that are run on the loader and on this system: what they need, and what they are given. */

/** One command, run by a shell in a folder with some files. */
export interface ProgramCase {
  readonly name: string;
  /** Programs that it starts, by their names; the first is what the case is about. */
  readonly programs: readonly string[];
  /** Text for `sh -c`, or the arguments of the first program where no shell is to be between. */
  readonly command: string | readonly string[];
  readonly input?: string;
  /** Further files and folders of this system that the programs read. */
  readonly folders?: readonly string[];
}

const NUMBERS = Array.from({ length: 400 }, (_, i) => `${(i * 7919) % 1009} line ${i} ${'x'.repeat(i % 17)}\n`).join('');
const PYTHON = ['/usr/lib/python3', '/usr/lib/python3.11', '/usr/lib/python3.12', '/usr/lib/python3.13'];
const PERL = ['/usr/lib/x86_64-linux-gnu/perl-base', '/usr/share/perl/5.36.0', '/usr/lib/x86_64-linux-gnu/perl/5.36.0'];

const python = (name: string, text: string): ProgramCase => ({
  name: `python3: ${name}`,
  programs: ['python3'],
  command: ['-c', text],
  folders: PYTHON,
});
const shell = (name: string, program: string, command: string, others: readonly string[] = []): ProgramCase => ({
  name: `${program}: ${name}`,
  programs: [program, ...others],
  command,
});

export const programCases: readonly ProgramCase[] = [
  // Shells: children, pipes, redirections, signals.
  shell('pipelines', 'dash', 'i=0; while [ $i -lt 50 ]; do echo $i; i=$((i+1)); done | sort -rn | head -5 | tr 0-9 a-j | cat -n', [
    'sort',
    'head',
    'tr',
    'cat',
  ]),
  shell('substitution', 'dash', 'x=$(echo one; echo two | cat); echo "[$x]"; echo `expr 6 \\* 7`', ['cat', 'expr']),
  shell('status of children', 'dash', '(exit 3); echo $?; sh -c "kill -9 \\$\\$"; echo $?; false || echo no; true && echo yes', []),
  shell('background and wait', 'dash', '(echo a; exit 4) & p=$!; wait $p; echo $?; for i in 1 2 3; do (exit $i) & done; wait; echo $?'),
  shell('here document', 'dash', 'cat <<A | wc -c\nsome text\nof lines\nA\ncat <<B >f; cat f\n$((1+2))\nB', ['cat', 'wc']),
  shell('traps', 'dash', 'trap "echo got term" TERM; kill -TERM $$; trap "echo bye" EXIT; kill -USR1 $$; echo not reached'),
  shell('broken pipe', 'dash', 'yes | head -3; (while :; do echo x; done) | head -2; echo done', ['yes', 'head']),
  shell('descriptors', 'dash', 'exec 3>f; echo to three >&3; exec 3>&-; read l <f; echo "$l"; { echo out; echo err >&2; } 2>&1 | sort', [
    'sort',
  ]),
  shell('commands that are not there', 'dash', 'nosuch; echo $?; ./none; echo $?; echo text >t; chmod +x t; cat t; /; echo $?', [
    'cat',
    'chmod',
  ]),
  shell(
    'functions, arithmetic',
    'bash',
    'f() { local s=0; for ((i=0;i<$1;i++)); do ((s+=i*i)); done; echo $s; }; f 100; a=(1 2 3); echo ${#a[@]} ${a[*]/2/x}',
  ),
  shell('pipelines', 'bash', 'set -o pipefail; printf "%s\\n" {1..200} | grep 7 | wc -l; false | true; echo $? ${PIPESTATUS[@]}', [
    'grep',
    'wc',
  ]),
  shell('process substitution of text', 'bash', 'read a b < <(echo 1 2); echo $b $a; diff <(seq 1 5) <(seq 2 6); echo $?', ['seq', 'diff']),
  shell('signals', 'bash', 'trap "echo child" CHLD; (exit 1); trap - CHLD; sleep 100 & kill $!; wait $! 2>/dev/null; echo $?', ['sleep']),
  {
    name: 'busybox: applets in a pipeline',
    programs: ['busybox'],
    command: ['sh', '-c', 'busybox seq 1 300 | busybox awk "{s+=\\$1} END {print s}"; busybox ls / | busybox head -1; busybox echo $?'],
  },
  {
    name: 'busybox: find, xargs',
    programs: ['busybox'],
    command: ['sh', '-c', 'mkdir -p d/e; echo x >d/e/f; echo y >d/g; find d -type f | sort | xargs cat; tar cf - d | tar tf - | sort'],
  },
  // Text.
  { name: 'sed: script', programs: ['sed'], command: ['-n', '-e', 's/line \\([0-9]*\\)/<\\1>/', '-e', '/7>/p'], input: NUMBERS },
  {
    name: 'gawk: sums',
    programs: ['gawk'],
    command: ['{ s[$1 % 10] += $3; n[$1 % 10]++ } END { for (i = 0; i < 10; i++) printf "%d %d %.3f\\n", i, n[i], s[i] / n[i] }'],
    input: NUMBERS,
  },
  {
    name: 'gawk: pipes of its own',
    programs: ['gawk', 'sort', 'dash', 'head'],
    command: [
      '{ print $1 | "sort -n | head -3" } END { close("sort -n | head -3"); "echo from sh" | getline x; print x; system("exit 5") }',
    ],
    input: NUMBERS,
  },
  { name: 'mawk: fields', programs: ['mawk'], command: ['{ print NF, length($0), toupper($2) }'], input: NUMBERS },
  { name: 'grep: expressions', programs: ['grep'], command: ['-nE', '^1[0-9]+ .*(x{5}|9)$'], input: NUMBERS },
  { name: 'sort: keys', programs: ['sort'], command: ['-k3n', '-k1r'], input: NUMBERS },
  {
    name: 'diff: two files',
    programs: ['dash', 'diff', 'sed', 'cat', 'tail'],
    command: 'cat >a; sed "s/line 7/LINE 7/;5d" a >b; diff -u a b | tail -n +3; diff -q a a; echo $?',
    input: NUMBERS,
  },
  {
    name: 'jq: objects',
    programs: ['jq'],
    command: ['-S', '.a[] | {n: (.x * 2), s: (.t | ascii_upcase)}'],
    input: '{"a":[{"x":1.5,"t":"ab"},{"x":-3,"t":"c"}]}',
  },
  {
    name: 'm4: macros',
    programs: ['m4'],
    command: ['-'],
    input: "define(`f', `ifelse($1, 0, 1, `eval($1 * f(decr($1)))')')f(10)\nesyscmd(`echo shell')",
  },
  { name: 'ed: edits', programs: ['ed', 'cat', 'dash'], command: ['-s'], input: 'a\none\ntwo\n.\ns/t/T/\n,p\nw f\nr !cat f\n,n\nQ\n' },
  // Numbers.
  { name: 'bc: pi', programs: ['bc'], command: ['-l'], input: 'scale=60; 4*a(1)\n2^200\n' },
  { name: 'dc: factorial', programs: ['dc'], command: ['-e', '[d1-d1<F*]dsFxsx 30 lFx p'] },
  {
    name: 'lua: tables, strings',
    programs: ['lua5.4'],
    command: [
      '-e',
      'local t={} for i=1,1000 do t[i]=(i*7919)%1009 end table.sort(t) print(t[1],t[500],#t,("%5.2f"):format(math.pi),("abc"):rep(3,"-")) os.exit(os.execute("exit 3") and 1 or 7)',
    ],
  },
  // Archives, digests.
  {
    name: 'gzip: there and back',
    programs: ['dash', 'gzip', 'md5sum', 'cat', 'tail'],
    command: 'cat >f; gzip -9 <f >f.gz; gzip -dc f.gz | md5sum; gzip -l f.gz | tail -1; gzip -t f.gz; echo $?',
    input: NUMBERS,
  },
  {
    name: 'xz: there and back',
    programs: ['dash', 'xz', 'cmp', 'cat'],
    command: 'cat >f; xz -k f; xz -dc f.xz | cmp - f; echo $?',
    input: NUMBERS,
  },
  {
    name: 'bzip2: there and back',
    programs: ['dash', 'bzip2', 'cmp', 'cat'],
    command: 'cat >f; bzip2 -k f; bzip2 -dc f.bz2 | cmp - f; echo $?',
    input: NUMBERS,
  },
  {
    name: 'zstd: there and back',
    programs: ['dash', 'zstd', 'cmp', 'cat'],
    command: 'cat >f; zstd -q f; zstd -q -dc f.zst | cmp - f; echo $?',
    input: NUMBERS,
  },
  {
    name: 'tar: with gzip',
    programs: ['dash', 'tar', 'gzip', 'mkdir', 'rm', 'cat', 'sort'],
    command: 'mkdir -p d/e; echo 1 >d/a; echo 22 >d/e/b; tar czf t.tgz d; rm -r d; tar xzf t.tgz; cat d/a d/e/b; tar tzf t.tgz | sort',
  },
  {
    name: 'sha256sum: checks',
    programs: ['dash', 'sha256sum', 'cat'],
    command: 'cat >f; sha256sum f >s; sha256sum -c s; echo x >>f; sha256sum -c s; echo $?',
    input: NUMBERS,
  },
  {
    name: 'openssl: digests',
    programs: ['dash', 'openssl', 'cat'],
    command:
      'cat >f; for d in md5 sha1 sha512 blake2b512; do openssl dgst -$d f; done; openssl enc -aes-128-cbc -K 00 -iv 00 -in f 2>/dev/null | openssl dgst -sha256',
    input: NUMBERS,
    folders: ['/etc/ssl/openssl.cnf', '/usr/lib/ssl'],
  },
  {
    name: 'openssl: speed runs',
    programs: ['dash', 'openssl', 'grep', 'sed'],
    command: 'openssl speed -seconds 1 -bytes 64 sha1 2>/dev/null | grep -c "^sha1"',
    folders: ['/etc/ssl/openssl.cnf', '/usr/lib/ssl'],
  },
  // Data bases, tools.
  {
    name: 'sqlite3: queries',
    programs: ['sqlite3'],
    command: [
      'db',
      'create table t(a,b); with recursive c(x) as (select 1 union all select x+1 from c where x<500) insert into t select x, x*x%97 from c; select b, count(*), sum(a) from t group by b order by 2 desc, 1 limit 5; create index i on t(b); select avg(a) from t where b=4;',
    ],
  },
  {
    name: 'make: rules',
    programs: ['make', 'dash', 'cat', 'touch'],
    command: ['-f', '-', 'all'],
    input: 'all: a b\n\t@cat a b\na:\n\t@echo A >a\nb: a\n\t@echo B `cat a` >b\n\t@test -f a && exit 0\n',
  },
  {
    name: 'make: errors',
    programs: ['dash', 'make', 'cat', 'echo'],
    command: 'cat >Makefile; make -s -k all; echo $?',
    input: 'all: x y\nx:\n\texit 3\ny:\n\techo y\n',
  },
  { name: 'git: version', programs: ['git'], command: ['--version'] },
  {
    name: 'git: commits and log',
    programs: ['dash', 'git', 'cat'],
    command:
      'export GIT_AUTHOR_DATE="@1700000000 +0000" GIT_COMMITTER_DATE="@1700000000 +0000" HOME=$PWD; git init -q r -b main; cd r; git config user.name n; git config user.email e@x; git config gc.auto 0; echo 1 >a; git add a; git commit -qm first; echo 2 >>a; git commit -qam second; git log --format="%h %s %an"; git diff HEAD~1 --stat | cat; git status --short; git fsck; git cat-file -p HEAD:a',
    folders: ['/usr/lib/git-core/git', '/usr/share/git-core/templates'],
  },
  {
    name: 'find: expressions',
    programs: ['dash', 'find', 'mkdir', 'touch', 'sort', 'echo'],
    command:
      'mkdir -p a/b/c; touch a/1 a/b/2.c a/b/c/3.c; find a -name "*.c" -exec echo found {} \\; | sort; find a -type d | sort; find a -type f -delete; find a -empty | sort',
  },
  {
    name: 'xargs: batches',
    programs: ['dash', 'xargs', 'seq', 'echo', 'wc'],
    command: 'seq 1 20 | xargs -n 7 echo; seq 1 5 | xargs -I{} sh -c "echo {}; test {} -lt 4"; echo $?',
  },
  {
    name: 'file systems: cp, mv, ln, ls, stat',
    programs: ['dash', 'cp', 'mv', 'ln', 'ls', 'stat', 'mkdir', 'rm', 'readlink', 'rmdir', 'cat'],
    command:
      'mkdir d; echo x >d/a; cp -r d e; mv e/a e/b; ln -s ../d/a e/l; ln e/b e/c; ls e; cat e/l; readlink e/l; stat -c "%n %s %h %F" e/b e/l; rm -r d; rmdir e; echo $?',
  },
  {
    name: 'dd: od, head, tail, cut, paste, tee',
    programs: ['dash', 'dd', 'od', 'head', 'tail', 'cut', 'paste', 'tee', 'cat', 'seq'],
    command:
      'cat >f; dd if=f bs=100 skip=2 count=1 2>/dev/null | od -c | head -4; tail -c 20 f; cut -d" " -f1,3 f | head -3; seq 3 | paste -s -d, | tee g; cat g',
    input: NUMBERS,
  },
  {
    name: 'timeout: and sleep',
    programs: ['dash', 'timeout', 'sleep'],
    command: 'timeout 0.2 sleep 5; echo $?; timeout 5 sleep 0.1; echo $?',
  },
  {
    name: 'env: printenv, pwd, basename',
    programs: ['dash', 'env', 'printenv', 'basename', 'dirname', 'cat'],
    command: 'env -i A=1 B=2 printenv A B; FOO=bar printenv FOO; basename /a/b.c .c; dirname /a/b; pwd | basename "$(cat)"',
  },
  // Interpreters.
  python(
    'a server and its clients by asyncio',
    [
      'import asyncio',
      'async def serve(r, w):',
      '    while line := await r.readline():',
      '        w.write(line.upper()); await w.drain()',
      '    w.close()',
      'async def ask(port, n):',
      '    r, w = await asyncio.open_connection("127.0.0.1", port)',
      '    out = []',
      '    for i in range(5):',
      '        w.write(b"client %d line %d\\n" % (n, i)); out.append((await r.readline()).decode())',
      '        await asyncio.sleep(0.01)',
      '    w.close(); await w.wait_closed(); return out',
      'async def main():',
      '    s = await asyncio.start_server(serve, "127.0.0.1", 0)',
      '    port = s.sockets[0].getsockname()[1]',
      '    for part in await asyncio.gather(*(ask(port, n) for n in range(4))): print("".join(part), end="")',
      '    p = await asyncio.create_subprocess_exec("sh", "-c", "echo a child", stdout=-1)',
      '    print((await p.communicate())[0], p.returncode)',
      'asyncio.run(main())',
    ].join('\n'),
  ),
  python(
    'an open file to another process',
    [
      'import os, socket, tempfile',
      'a, b = socket.socketpair()',
      'if os.fork() == 0:',
      '    f = tempfile.TemporaryFile(); f.write(b"passed on"); f.flush()',
      '    socket.send_fds(a, [b"here"], [f.fileno()]); os._exit(0)',
      'text, fds, flags, _ = socket.recv_fds(b, 10, 3)',
      'os.wait(); print(text, len(fds), flags, os.pread(fds[0], 20, 0))',
    ].join('\n'),
  ),
  python(
    'language and library',
    'import json,re,math,collections,hashlib,zlib\nprint(json.dumps({"a":[1,2.5,None]},sort_keys=True), re.sub(r"(\\w)(\\d)",r"\\2\\1","a1 b2"), math.factorial(30), collections.Counter("abracadabra").most_common(2), hashlib.sha256(b"x").hexdigest()[:16], len(zlib.compress(b"a"*1000)))',
  ),
  python('exceptions and status', 'import sys\ntry:\n 1/0\nexcept ZeroDivisionError as e: print(e)\nsys.exit(3)'),
  python(
    'threads',
    'import threading,queue\nq=queue.Queue()\nts=[threading.Thread(target=lambda i=i:q.put(i*i)) for i in range(8)]\n[t.start() for t in ts];[t.join() for t in ts]\nprint(sorted(q.get() for _ in ts))',
  ),
  python(
    'fork and pipes',
    'import os\nr,w=os.pipe()\np=os.fork()\nif p==0:\n os.close(r); os.write(w,b"from the child"); os._exit(5)\nos.close(w)\nprint(os.read(r,99), os.waitstatus_to_exitcode(os.waitpid(p,0)[1]))',
  ),
  {
    ...python(
      'subprocess',
      'import subprocess as s\nprint(s.run(["sort"],input=b"b\\na\\n",capture_output=True).stdout, s.call("exit 7",shell=True), s.run(["cat"],stdin=s.DEVNULL).returncode)\ntry: s.run(["/none"])\nexcept FileNotFoundError as e: print(e)\nprint(s.check_output("echo $0 a b | wc -w",shell=True))',
    ),
    programs: ['python3', 'dash', 'sort', 'cat', 'wc'],
  },
  python(
    'files',
    'import os,tempfile,pathlib,shutil\nd=tempfile.mkdtemp()\np=pathlib.Path(d)/"x"/"y.txt"\np.parent.mkdir(); p.write_text("hällo\\n"*3); print(p.stat().st_size, p.read_text().count("ä"), sorted(os.listdir(d)))\nos.rename(p,p.with_suffix(".bin")); print([q.name for q in p.parent.iterdir()]); shutil.rmtree(d); print(os.path.exists(d))',
  ),
  python(
    'signals',
    'import signal,os,time\ndef h(n,f): print("got",n)\nsignal.signal(signal.SIGUSR1,h); os.kill(os.getpid(),signal.SIGUSR1)\nsignal.signal(signal.SIGALRM,h); signal.setitimer(signal.ITIMER_REAL,0.05); time.sleep(0.2); print("end")',
  ),
  python(
    'socket pairs',
    'import socket,os\na,b=socket.socketpair()\nif os.fork()==0:\n a.close(); d=b.recv(100); b.sendall(d[::-1]); os._exit(0)\nb.close(); a.sendall(b"abc"); print(a.recv(100)); os.wait(); print(a.recv(10))',
  ),
  python(
    'loopback',
    'import socket,threading\ns=socket.socket(); s.bind(("127.0.0.1",0)); s.listen(1)\ndef f():\n c,_=s.accept(); c.sendall(c.recv(100).upper()); c.close()\nt=threading.Thread(target=f); t.start()\nc=socket.create_connection(s.getsockname()); c.sendall(b"hello"); print(c.recv(100), c.recv(100)); t.join()',
  ),
  {
    name: 'perl: language',
    programs: ['perl'],
    command: [
      '-e',
      'my %h; $h{length $_}++ for map { "x" x ($_ % 7) } 1..100; print join(",", map { "$_=$h{$_}" } sort keys %h), "\\n"; printf "%s %.4f\\n", scalar reverse("abc"), sqrt 2; exit 9',
    ],
    folders: PERL,
  },
  {
    name: 'perl: fork, pipes, system',
    programs: ['perl', 'dash', 'sort', 'echo'],
    command: [
      '-e',
      '$|=1; my $p = fork; if (!$p) { print "child\\n"; exit 6 } waitpid $p, 0; print $? >> 8, "\\n"; open my $f, "-|", "echo b; echo a" or die; print sort <$f>; print system("exit 2") >> 8, "\\n"; print `echo back`',
    ],
    folders: PERL,
  },
  {
    name: 'perl: signals',
    programs: ['perl'],
    command: [
      '-e',
      '$SIG{USR1} = sub { print "usr1\\n" }; kill USR1 => $$; local $SIG{ALRM} = sub { die "late\\n" }; eval { alarm 1; select undef, undef, undef, 3 }; print $@',
    ],
    folders: PERL,
  },
];
