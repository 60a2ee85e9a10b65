// vigil_kill_at REPORT CALL[:exit] PROGRAM [ARGUMENT...]: runs a program, counts its system calls, and kills
// it by SIGKILL at one of them.
//
// Counted are those that tracer.hpp shows, from SIGUSR1 on or, with CALL beginning with "+", from the
// program's exec on. At call number CALL the whole process is killed before the kernel carries the call out,
// with
// ":exit" after that; the children live on. 0 kills at none. SIGUSR2 ends the story: the number is written
// down and the process is killed where it stands.
//
// Each step is a line at the end of the file REPORT: "marked", "killed 17 entry write", "counted 240". Exits
// with 0 when it has killed, else with the program's exit code, or 128 and the signal.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tracer.hpp"

namespace vigil::tools {
namespace {

struct Target {
    unsigned long call = 0;
    bool at_exit = false;
    bool from_exec = false;
};

Target parse_target(std::string text) {
    Target target;
    target.from_exec = text.starts_with('+');
    if (target.from_exec) text.erase(0, 1);
    target.at_exit = text.ends_with(":exit");
    char* end = nullptr;
    target.call = std::strtoul(text.c_str(), &end, 10);
    if (end == text.c_str() || (*end != '\0' && std::strcmp(end, ":exit") != 0)) {
        std::fprintf(stderr, "vigil_kill_at: \"%s\" is no number of a call\n", text.c_str());
        std::exit(125);
    }
    return target;
}

class Killing final : public Plan {
  public:
    Killing(Target target, const Report& report) : target_(target), report_(report) {}

    [[nodiscard]] bool counts_from_exec() const override { return target_.from_exec; }
    Verdict at_entry(const Call& call) override {
        counted_ = call.count;
        return meet(call, false);
    }
    Verdict at_exit(const Call& call) override { return meet(call, true); }
    bool end() override {
        report_.say("counted " + std::to_string(counted_));
        return true;
    }

  private:
    Verdict meet(const Call& call, bool at_exit) {
        if (call.count != target_.call || at_exit != target_.at_exit) return {};
        report_.say("killed " + std::to_string(call.count) + (at_exit ? " exit " : " entry ") + call.name +
                    (call.of_child ? " (child)" : ""));
        return {.kill = true};
    }

    Target target_;
    const Report& report_;
    unsigned long counted_ = 0;
};

}  // namespace
}  // namespace vigil::tools

int main(int argc, char** argv) {
    using namespace vigil::tools;
    if (argc < 4) {
        std::fputs("usage: vigil_kill_at REPORT [+]CALL[:exit] PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    const Report report(argv[1]);
    Killing plan(parse_target(argv[2]), report);
    return Tracer(plan, report).run(argv + 3);
}
