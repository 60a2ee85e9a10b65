// supervisor, driven over its socket: its own client takes a quarter of a second to begin.
#include <signal.h>
#include <sys/socket.h>

#include <sstream>

#include "base/unique_fd.hpp"
#include "peers/peers.hpp"

namespace vigil::bench {
namespace {

class Supervisord : public Supervisor {
  public:
    ~Supervisord() override { end(); }

    void prepare(const Plan& plan) override {
        place_ = plan.place;
        std::ostringstream text;
        text << "[unix_http_server]\nfile=" << socket() << "\n"
             << "[supervisord]\nnodaemon=true\nminfds=" << 4 * plan.tasks + 200 << "\nlogfile=" << place_
             << "/log\npidfile=" << place_ << "/pid\n"
             << "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
                "supervisor.rpcinterface:make_main_rpcinterface\n"
             << "[supervisorctl]\nserverurl=unix://" << socket() << "\n";
        for (std::size_t i = 0; i < plan.tasks; ++i)
            text << "[program:t" << i << "]\ncommand=" << plan.worker << " " << plan.reports << " " << i
                 << "\nautostart=false\nautorestart=true\nstartsecs=0\nstartretries=1000000\n"
                    "stdout_logfile=NONE\nstderr_logfile=NONE\n";
        write_text(place_ + "/conf", text.str());
        pid_ = start_program({"supervisord", "-c", place_ + "/conf"});
        eventually([this] { return static_cast<bool>(connected()); }, "supervisord listens");
        call("supervisor.getState", "");
    }
    void start() override { call("supervisor.startAllProcesses", kDoNotWait); }
    void stop() override { call("supervisor.stopAllProcesses", kWait); }
    void end() override {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGTERM);
        wait_for(pid_);
        pid_ = 0;
    }
    std::vector<pid_t> processes() const override { return {pid_}; }
    Argv status_of_all() const override { return {"supervisorctl", "-c", place_ + "/conf", "status"}; }
    Argv status_of_one() const override { return {"supervisorctl", "-c", place_ + "/conf", "status", "t0"}; }

  private:
    static constexpr std::string_view kWait = "<param><value><boolean>1</boolean></value></param>";
    static constexpr std::string_view kDoNotWait = "<param><value><boolean>0</boolean></value></param>";

    std::string socket() const { return place_ + "/s"; }

    UniqueFd connected() const {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const UnixAddress address(socket());
        if (::connect(fd.get(), address.get(), address.size()) != 0) fd.reset();
        return fd;
    }

    void call(std::string_view method, std::string_view parameters) const {
        std::ostringstream body;
        body << "<?xml version=\"1.0\"?><methodCall><methodName>" << method << "</methodName><params>"
             << parameters << "</params></methodCall>";
        std::ostringstream request;
        request << "POST /RPC2 HTTP/1.0\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: "
                << body.str().size() << "\r\n\r\n"
                << body.str();
        const std::string text = request.str();
        const UniqueFd fd = connected();
        if (::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) give_up("ask supervisord");
        std::string answer;
        char block[4096];
        for (ssize_t size = 0; (size = ::recv(fd.get(), block, sizeof block, 0)) > 0;)
            answer.append(block, static_cast<std::size_t>(size));
        if (answer.find("<fault>") != std::string::npos || answer.find(" 200 ") == std::string::npos)
            give_up("supervisord: " + answer.substr(0, 300));
    }

    std::string place_;
    pid_t pid_ = 0;
};

}  // namespace

std::unique_ptr<Supervisor> make_supervisord() {
    return std::make_unique<Supervisord>();
}

}  // namespace vigil::bench
