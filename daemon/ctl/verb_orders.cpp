// start, stop, restart, kill, remove, signal, pause, resume, wait: orders to tasks, answered by their
// outcomes.
#include "ctl/exit_code.hpp"
#include "ctl/progress.hpp"
#include "ctl/session.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

using protocol::Method;

/// Sends one order and reports what became of it.
int give(Method method, const std::string& params, const Options& options, const Terminal& terminal) {
    auto client = connect_for_order(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    client::Patience patience = for_order(options, terminal);
    auto answer = [&] {
        Progress progress(options, terminal);
        progress.attach(patience);
        return client->call(method, params, patience);
    }();
    if (!answer) return report(answer.error(), options, terminal);
    auto tasks = protocol::parse_outcomes(*answer);
    if (!tasks) return report(client->misread(tasks.error()), options, terminal);
    return report(*tasks, options, terminal);
}

int order(Method method, const Options& options, const Terminal& terminal) {
    const client::Order order{.method = method,
                              .names = options.names,
                              .wait = !options.no_wait,
                              .timeout = options.timeout,
                              .now = options.now,
                              .persist = options.persist};
    return give(method, client::params_text(order), options, terminal);
}

}  // namespace

int run_start(const Options& options, const Terminal& terminal) {
    return order(Method::task_start, options, terminal);
}

int run_stop(const Options& options, const Terminal& terminal) {
    return order(Method::task_stop, options, terminal);
}

int run_restart(const Options& options, const Terminal& terminal) {
    return order(Method::task_restart, options, terminal);
}

int run_kill(const Options& options, const Terminal& terminal) {
    return order(Method::task_kill, options, terminal);
}

int run_remove(const Options& options, const Terminal& terminal) {
    return order(Method::task_remove, options, terminal);
}

int run_signal(const Options& options, const Terminal& terminal) {
    return give(Method::task_signal, client::signal_text(options.names, options.signal), options, terminal);
}

int run_pause(const Options& options, const Terminal& terminal) {
    return give(Method::task_pause, client::names_text(options.names), options, terminal);
}

int run_resume(const Options& options, const Terminal& terminal) {
    return give(Method::task_resume, client::names_text(options.names), options, terminal);
}

int run_wait(const Options& options, const Terminal& terminal) {
    return give(Method::task_wait, client::wait_text(options.names, options.wait_for, options.timeout),
                options, terminal);
}

}  // namespace vigil::ctl
