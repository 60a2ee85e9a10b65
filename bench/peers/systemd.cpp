// systemd as process 1 of the machine that this program runs in.
#include <unistd.h>

#include <sstream>

#include "peers/peers.hpp"

namespace vigil::bench {
namespace {

const std::string kUnits = "/run/systemd/system/";

class Systemd : public Supervisor {
  public:
    void prepare(const Plan& plan) override {
        write_text(
            kUnits + "vb@.service",
            "[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n"
            "[Service]\nType=exec\nRestart=always\nRestartSec=0\nStandardInput=null\nStandardOutput=null\n"
            "StandardError=null\nExecStart=" +
                plan.worker + " " + plan.reports + " %i\n");
        std::ostringstream target;
        target << "[Unit]\nDefaultDependencies=no\n";
        for (std::size_t i = 0; i < plan.tasks; ++i) target << "Wants=vb@" << i << ".service\n";
        write_text(kUnits + "vb.target", target.str());
        succeed({"systemctl", "daemon-reload"});
    }
    void start() override { succeed({"systemctl", "start", "--no-block", "vb.target"}); }
    void stop() override { succeed({"systemctl", "stop", "vb.target", "vb@*.service"}); }
    void end() override {
        run({"systemctl", "stop", "vb.target", "vb@*.service"});
        ::unlink((kUnits + "vb@.service").c_str());
        ::unlink((kUnits + "vb.target").c_str());
        run({"systemctl", "reset-failed"});
        run({"systemctl", "daemon-reload"});
    }
    std::vector<pid_t> processes() const override { return {1}; }
    Argv status_of_all() const override { return {"systemctl", "list-units", "--no-pager", "vb@*"}; }
    Argv status_of_one() const override { return {"systemctl", "is-active", "vb@0"}; }

  private:
    static void succeed(const Argv& argv) {
        if (run(argv) != 0) give_up(argv[0] + " " + argv[1] + " failed");
    }
};

}  // namespace

std::unique_ptr<Supervisor> make_systemd() {
    return std::make_unique<Systemd>();
}

}  // namespace vigil::bench
