// vigilctl. What verbs have in common when they talk to a daemon: opening, time limits, and reporting
// failures.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "client/client.hpp"
#include "ctl/options.hpp"
#include "ctl/terminal.hpp"

namespace vigil::ctl {

/// How long a daemon that is asked something it can answer at once may take.
inline constexpr core::Duration kAnswerWithin = std::chrono::seconds(10);

/// Patience for questions: --timeout if given, else kAnswerWithin.
[[nodiscard]] client::Patience for_question(const Options& options, const Terminal& terminal);
/// Patience for orders: --timeout and some more, since the daemon keeps the limit itself and says what was
/// reached.
[[nodiscard]] client::Patience for_order(const Options& options, const Terminal& terminal);

[[nodiscard]] Result<client::Client, client::Fault> connect(const Options& options, const Terminal& terminal);
/// The same, with a daemon that has answered: an order waits for its outcome however long it takes, so it is
/// not to be left in the queue of a socket behind which there is none.
[[nodiscard]] Result<client::Client, client::Fault> connect_for_order(const Options& options,
                                                                      const Terminal& terminal);

/// A result, with what could be answered only.
struct Answered {
    std::string_view json;  ///< valid until the client's next call
    int exit_code = 0;      ///< kNoSuchTask: some patterns matched nothing
};
/// `ask` calls a method that takes names; it is asked for `options.names`. One name that matches nothing must
/// not hide the others, so it is reported and left out. The error is an exit code, after the report.
[[nodiscard]] Result<Answered, int> call_for_names(
    const std::function<Result<std::string_view, client::Fault>(const protocol::Patterns&)>& ask,
    const Options& options, const Terminal& terminal);

/// Puts a failure on standard error, each task of it by name, and gives the exit code.
int report(const client::Fault& fault, const Options& options, const Terminal& terminal);
/// "api: failed: exit code 3; next start in 1s"
[[nodiscard]] std::string outcome_line(const protocol::TaskOutcome& task);
/// The same for what became of an order: failed tasks on standard error, the others (or, with --json, all) on
/// standard output.
int report(const std::vector<protocol::TaskOutcome>& tasks, const Options& options, const Terminal& terminal);

}  // namespace vigil::ctl
