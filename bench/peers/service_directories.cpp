// s6 and runit: a directory a service with a program `run` in it, a process a service, and one above them.
#include <signal.h>
#include <sys/stat.h>

#include "peers/peers.hpp"

namespace vigil::bench {
namespace {

/// A new directory, and in it one for each task whose `run` is the worker itself.
std::string make_services(const Plan& plan) {
    const std::string above = plan.place + "/services";
    ::mkdir(above.c_str(), 0755);
    for (std::size_t i = 0; i < plan.tasks; ++i) {
        const std::string directory = above + "/t" + std::to_string(i);
        if (::mkdir(directory.c_str(), 0755) != 0) give_up("mkdir " + directory);
        write_text(directory + "/run",
                   "#!" + plan.worker + " " + plan.reports + " " + std::to_string(i) + "\n", 0755);
    }
    return above;
}

class ServiceDirectories : public Supervisor {
  public:
    ~ServiceDirectories() override { end(); }

    void prepare(const Plan& plan) override {
        services_ = make_services(plan);
        tasks_ = plan.tasks;
    }
    // They know no order to start all; they do so when they begin.
    void start() override { pid_ = start_program(scanner()); }
    void stop() override {
        supervisors_ = children_of(pid_);
        ::kill(pid_, stop_signal());
        wait_for(pid_);
        pid_ = 0;
        eventually([this] { return gone(); }, "the supervisors of the services have ended");
    }
    void end() override {
        if (pid_ > 0) stop();
        for (const pid_t pid : supervisors_) ::kill(pid, SIGKILL);
    }
    std::vector<pid_t> processes() const override {
        std::vector<pid_t> found = children_of(pid_);
        found.push_back(pid_);
        return found;
    }

  protected:
    virtual Argv scanner() const = 0;
    virtual int stop_signal() const = 0;

    std::string services_;
    std::size_t tasks_ = 0;

  private:
    bool gone() {
        std::erase_if(supervisors_, [](pid_t pid) { return !alive(pid); });
        return supervisors_.empty();
    }

    pid_t pid_ = 0;
    std::vector<pid_t> supervisors_;
};

class S6 : public ServiceDirectories {
  public:
    Argv status_of_all() const override {
        return {"sh", "-c", "for service in " + services_ + "/*; do s6-svstat $service; done"};
    }
    Argv status_of_one() const override { return {"s6-svstat", services_ + "/t0"}; }

  private:
    Argv scanner() const override { return {"s6-svscan", "-c", std::to_string(tasks_ + 10), services_}; }
    int stop_signal() const override { return SIGTERM; }
};

class Runit : public ServiceDirectories {
  public:
    Argv status_of_all() const override { return {"sh", "-c", "sv status " + services_ + "/*"}; }
    Argv status_of_one() const override { return {"sv", "status", services_ + "/t0"}; }

  private:
    Argv scanner() const override { return {"runsvdir", services_}; }
    int stop_signal() const override { return SIGHUP; }
};

}  // namespace

std::unique_ptr<Supervisor> make_s6() {
    return std::make_unique<S6>();
}
std::unique_ptr<Supervisor> make_runit() {
    return std::make_unique<Runit>();
}

}  // namespace vigil::bench
