#include "upgrade/proof.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/text.hpp"
#include "exit_code.hpp"
#include "linux/spawn/other_program.hpp"
#include "paths.hpp"
#include "place.hpp"
#include "state/check.hpp"
#include "version.hpp"

namespace vigil::daemon {
namespace {

constexpr std::chrono::seconds kLimit{15};
/// The line of a program that can; nothing else that is run by mistake says it.
constexpr std::string_view kProven = "vigild can go on from here: ";

std::string last_lines(std::string_view text) {
    while (text.ends_with('\n')) text.remove_suffix(1);
    constexpr std::size_t kMost = 2000;
    if (text.size() > kMost) text.remove_prefix(text.size() - kMost);
    std::string shown = escape_for_display(text);
    // One sentence over several lines is one for a log and an answer.
    for (std::size_t at = 0; (at = shown.find("\\n", at)) != std::string::npos;) shown.replace(at, 2, "; ");
    return shown;
}

int refuse(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return exit_code::kCannotStart;
}

}  // namespace

std::vector<std::string> takeover_arguments(const Invocation& self, const std::string& program, bool prove,
                                            int fd) {
    std::vector<std::string> arguments{program};
    arguments.insert(arguments.end(), self.arguments.begin(), self.arguments.end());
    arguments.emplace_back(prove ? "--prove-handover" : "--take-over");
    arguments.push_back(std::to_string(fd));
    return arguments;
}

Result<std::string, std::string> ask_for_proof(const Invocation& self, const std::string& program,
                                               int handover) {
    const auto answer = os::ask_program(
        program, takeover_arguments(self, program, true, os::kGivenDescriptor), handover, kLimit);
    if (!answer) return Failure{answer.error().text()};
    std::string_view said = answer->output;
    const std::size_t at = said.find(kProven);
    if (answer->in_time && at != std::string_view::npos) {
        said.remove_prefix(at + kProven.size());
        return std::string(said.substr(0, said.find('\n')));
    }
    std::string why = program;
    if (!answer->in_time)
        why += " did not say within " + std::to_string(kLimit.count()) + " s whether it can go on";
    else if (answer->errors.empty() && answer->output.empty())
        why += " ended and said nothing: is it a vigild?";
    else
        why += " cannot go on: " + last_lines(answer->errors.empty() ? answer->output : answer->errors);
    return Failure{std::move(why)};
}

Result<Handover, std::string> read_handover(int fd) {
    const auto text = os::read_all_of(fd, kMostHandover);
    if (!text) return Failure{text.error().text()};
    return decode_handover(*text);
}

int prove_handover(int fd, const config::Config& config) {
    const auto handover = read_handover(fd);
    if (!handover) return refuse(handover.error());
    const auto directories = choose_directories(config.daemon);
    if (!directories) return refuse(directories.error().text());
    const auto plain = [](const std::string& path) { return std::filesystem::weakly_canonical(path); };
    if (plain(directories->runtime) != plain(handover->runtime_dir))
        return refuse("the configuration has daemon.runtime_dir " + directories->runtime +
                      " by now, but the daemon uses " + handover->runtime_dir +
                      ": that needs a stop and a start");
    for (const std::string& fault : {state::check_table(state_table_path(*directories)),
                                     state::check_specs(spec_store_path(*directories))})
        if (!fault.empty()) return refuse(fault);
    std::printf("%.*s%s\n", static_cast<int>(kProven.size()), kProven.data(), kVersion);
    return exit_code::kDone;
}

}  // namespace vigil::daemon
