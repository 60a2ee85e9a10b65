// dinit, built elsewhere (Debian 12 has none): $DINIT is the program, and dinitctl is beside it.
#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <sstream>

#include "peers/peers.hpp"

namespace vigil::bench {
namespace {

class Dinit : public Supervisor {
  public:
    ~Dinit() override { end(); }

    void prepare(const Plan& plan) override {
        place_ = plan.place;
        const std::string services = place_ + "/services";
        ::mkdir(services.c_str(), 0755);
        std::ostringstream all;
        all << "type = internal\n";
        for (std::size_t i = 0; i < plan.tasks; ++i) {
            const std::string name = "t" + std::to_string(i);
            write_text(services + "/" + name,
                       "type = process\ncommand = " + plan.worker + " " + plan.reports + " " +
                           std::to_string(i) +
                           "\nrestart = true\nsmooth-recovery = true\nrestart-delay = 0\n"
                           "restart-limit-interval = 0\n");
            all << "waits-for = " << name << "\n";
        }
        write_text(services + "/all", all.str());
        write_text(services + "/boot", "type = internal\n");
        pid_ = start_program({std::getenv("DINIT"), "-u", "-q", "-d", services, "-p", place_ + "/d", "boot"});
        eventually([this] { return run(control({"list"})) == 0; }, "dinit listens");
    }
    void start() override { succeed(control({"start", "all"})); }
    void stop() override { succeed(control({"stop", "all"})); }
    void end() override {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGTERM);
        wait_for(pid_);
        pid_ = 0;
    }
    std::vector<pid_t> processes() const override { return {pid_}; }
    Argv status_of_all() const override { return control({"list"}); }
    Argv status_of_one() const override { return control({"status", "t0"}); }

  private:
    Argv control(const Argv& words) const {
        const std::string dinit = std::getenv("DINIT");
        Argv argv{dinit.substr(0, dinit.rfind('/') + 1) + "dinitctl", "-p", place_ + "/d"};
        argv.insert(argv.end(), words.begin(), words.end());
        return argv;
    }
    static void succeed(const Argv& argv) {
        if (run(argv) != 0) give_up("dinitctl " + argv[3] + " failed");
    }

    std::string place_;
    pid_t pid_ = 0;
};

}  // namespace

std::unique_ptr<Supervisor> make_dinit() {
    return std::make_unique<Dinit>();
}

}  // namespace vigil::bench
