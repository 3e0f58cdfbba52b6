// SPDX-License-Identifier: GPL-3.0-or-later
// A Slurm of the test's own: munged, slurmctld and three slurmd on loopback, in a private folder on private ports, without
// systemd, cgroups or a database. Gone when the object is.
#pragma once
#include "farm.hpp"
#include <arpa/inet.h>
#include <csignal>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace farm {

constexpr int kNodes = 3;

inline int free_port() {
  int s = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  socklen_t length = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(s, reinterpret_cast<sockaddr *>(&address), length);
  getsockname(s, reinterpret_cast<sockaddr *>(&address), &length);
  close(s);
  return ntohs(address.sin_port);
}

struct Slurm {
  test::Folder folder;
  std::string before; // environment of its commands
  bool up = false;

  static bool installed() {
    return test::shell("PATH=$PATH:/usr/sbin; for tool in slurmctld slurmd sbatch munged; do command -v $tool || exit 1; done")
               .exit_code == 0;
  }
  Slurm() {
    prctl(PR_SET_CHILD_SUBREAPER, 1); // daemons become children of this process, which takes their ends
    before = "SLURM_CONF=" + (folder / "slurm.conf") + " PATH=$PATH:/usr/sbin";
    write_conf();
    up = start_munged() && start_controller() && nodes();
  }
  ~Slurm() {
    run("scontrol shutdown");
    stop("munged");
    for (int i = 0; i < 300 && (pid("slurmctld") || pid("n0") || pid("n1") || pid("n2")); i++) nap(10);
    for (const char *name : {"slurmctld", "n0", "n1", "n2"})
      if (int p = pid(name)) kill(p, SIGKILL);
    for (int i = 0; i < 100 && waitpid(-1, nullptr, WNOHANG) >= 0; i++) nap(10);
  }
  test::Output run(const std::string &command) const { return test::shell("export " + before + "; " + command); }
  static void nap(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

  // Of a daemon: munged, slurmctld, n0, ...; 0: it does not run.
  int pid(const std::string &name) const {
    std::istringstream text(test::read_file(folder / (name + ".pid")));
    int number = 0;
    text >> number;
    const std::string state = number > 0 ? test::read_file("/proc/" + std::to_string(number) + "/stat") : "";
    return state.empty() || state.find(") Z ") != std::string::npos ? 0 : number;
  }
  bool start_controller() const { return daemon("slurmctld -D"); }
  bool start_node(int i) const {
    return daemon("slurmd -N n" + std::to_string(i) + " -D");
  }
  std::string log() const { return test::read_file(folder / "slurmctld.log"); }

private:
  bool daemon(const std::string &command) const {
    return run("setsid " + command + " >/dev/null 2>&1 </dev/null &").exit_code == 0;
  }
  bool start_munged() const {
    test::write_file(folder / "munge.key", std::string(256, 'k'));
    std::filesystem::permissions(folder / "munge.key", std::filesystem::perms::owner_read);
    test::Output o = run("munged --force --key-file=" + (folder / "munge.key") + " --socket=" + (folder / "munge.socket") +
                         " --pid-file=" + (folder / "munged.pid") + " --log-file=" + (folder / "munged.log") +
                         " --seed-file=" + (folder / "munge.seed"));
    EXPECT_EQ(o.exit_code, 0) << o.err;
    return o.exit_code == 0;
  }
  void stop(const std::string &name) const {
    if (int p = pid(name)) kill(p, SIGTERM);
  }
  bool nodes() const {
    for (int i = 0; i < kNodes; i++)
      if (!start_node(i)) return false;
    for (int i = 0; i < 600; i++, nap(50))
      if (run("sinfo -h -N -o %T | grep -c idle").out == std::to_string(kNodes) + "\n") return true;
    ADD_FAILURE() << run("sinfo").out << log();
    return false;
  }
  void write_conf() const {
    char host[256];
    gethostname(host, sizeof host);
    host[strcspn(host, ".")] = 0;
    const std::string user = getpwuid(getuid())->pw_name, f = folder.path;
    std::string conf = "ClusterName=ergontest\nSlurmctldHost=" + std::string(host) +
                       "(127.0.0.1)\nSlurmUser=" + user + "\nSlurmdUser=" + user +
                       "\nAuthType=auth/munge\nAuthInfo=socket=" + f +
                       "/munge.socket\nCommunicationParameters=NoCtldInAddrAny,NoInAddrAny\nSlurmctldPort=" +
                       std::to_string(free_port()) +
                       "\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n"
                       "JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n"
                       "MpiDefault=none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\n"
                       "ReturnToService=2\nMessageTimeout=5\nSlurmdTimeout=5\nSlurmdParameters=config_overrides\n"
                       "SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0\n"
                       "StateSaveLocation=" + f + "/state\nSlurmdSpoolDir=" + f + "/spool-%n\nSlurmctldPidFile=" + f +
                       "/slurmctld.pid\nSlurmdPidFile=" + f + "/%n.pid\nSlurmctldLogFile=" + f +
                       "/slurmctld.log\nSlurmdLogFile=" + f + "/%n.log\n";
    std::filesystem::create_directory(folder.path / "state");
    for (int i = 0; i < kNodes; i++)
      conf += "NodeName=n" + std::to_string(i) + " NodeHostname=" + host +
              " NodeAddr=127.0.0.1 CPUs=2 RealMemory=100 Port=" + std::to_string(free_port()) + "\n";
    conf += "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n";
    test::write_file(folder / "slurm.conf", conf);
  }
};

} // namespace farm
