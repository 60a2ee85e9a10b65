// Layer daemon. What each method of the control protocol does. Rights are checked before anything here is
// reached.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "control/carried.hpp"
#include "control/pending_orders.hpp"
#include "control/session.hpp"
#include "control/world.hpp"
#include "protocol/methods.hpp"
#include "protocol/rpc.hpp"
#include "protocol/upgrade_report.hpp"
#include "reload/reloader.hpp"

namespace vigil::daemon {

/// An error as one message.
[[nodiscard]] std::string error_line(const protocol::RequestId& id, const protocol::RpcError& error);

/// A result, whatever `write` makes of it on a json::Writer, as one message.
template <typename Write>
[[nodiscard]] std::string result_line(const protocol::RequestId& id, Write write) {
    std::string line;
    auto message = protocol::Message::result(line, id);
    write(message.body());
    message.end();
    return line;
}

/// One request being carried out.
struct Call {
    Session& session;
    std::optional<protocol::RequestId> id;  ///< nothing: the client wants no answer
    const protocol::MethodInfo& method;
};

class Methods {
  public:
    /// `deadline_moved` is called when an order was given outside of run(): next_deadline() may be another.
    Methods(World world, std::function<Session*(SessionId)> find_session,
            std::function<void()> deadline_moved);

    /// Carries out a request; its answer is sent now or, through PendingOrders, later.
    void run(Call& call, protocol::Params params);

    /// A change of state: settles the orders that waited for it.
    void changed(const core::effect::Announce& change);
    /// Answers the orders whose time is up; next_deadline() says when to call again.
    void expire(core::TimePoint now);
    [[nodiscard]] core::TimePoint next_deadline() const { return orders_.next_deadline(); }
    void forget(SessionId session);
    /// Everything is stopped: those who asked for it are told.
    void finished();
    // For a daemon that goes on as another program.
    /// Adds what is promised to these sessions.
    void carry(const std::map<SessionId, std::size_t>& places, CarriedClients& to) const;
    /// Takes up what was promised to these, by place.
    void restore(const std::vector<SessionId>& sessions, const CarriedClients& from,
                 const protocol::UpgradeReport& report);

    /// For daemon.status.
    void count_clients(std::size_t clients) { clients_ = clients; }
    /// Orders whose outcome is awaited.
    [[nodiscard]] std::size_t orders_waiting() const noexcept { return orders_.orders().size(); }

    void refuse(Call& call, const protocol::RpcError& error);

  private:
    struct Order {
        core::Event event;
        core::Goal goal;
    };
    /// Who is to be answered when the request itself is over; his session has promised() an answer.
    struct Asker {
        SessionId session{};
        std::optional<protocol::RequestId> request;
    };
    struct NewTask {
        core::SpecPtr spec;
        bool wait = true;
        core::TimePoint deadline = core::kNever;
    };
    struct Reload;

    void answer_empty(Call& call);
    void answer(const PendingOrders::Answer& answer);
    static void answer_with(Session& session, const PendingOrders::Answer& answer);
    [[nodiscard]] core::Ticket open(Call& call, std::optional<core::Duration> timeout);
    void seal(core::Ticket ticket);
    void give_order(core::Ticket ticket, core::TaskId task, const Order& order, bool wait);
    void fail(const Asker& asker, const protocol::RpcError& error);
    /// Adds a task and sees to its answer; false after a refusal, which is answered too.
    bool admit(const Asker& asker, const NewTask& task);
    void follow_start(core::Ticket ticket, core::TaskId task, bool wait);
    void judged(Reload& one, const Reloader::Judgement& judgement);
    /// The tasks that these patterns name; nothing after refusing the call because one of them names none.
    std::optional<std::vector<core::TaskId>> select(Call& call, const protocol::Patterns& patterns);
    /// The same; no pattern means every task.
    std::optional<std::vector<core::TaskId>> select_or_all(Call& call, const protocol::Patterns& patterns);
    void say(const Call& call, std::string_view what) const;
    [[nodiscard]] std::string name_of(core::TaskId task) const;
    [[nodiscard]] std::string state_of(core::TaskId task) const;

    /// The task that has a log of this one already; empty: none.
    [[nodiscard]] std::string owner_of_log(const core::TaskSpec& spec) const;

    void hello(Call& call);
    void daemon_status(Call& call);
    void check(Call& call, const protocol::params::DaemonCheck& params);
    void shut_down(Call& call, const protocol::params::DaemonShutdown& params);
    void order(Call& call, const protocol::params::TaskOrder& params);
    void reload(Call& call, const protocol::params::DaemonReload& params);
    void upgrade(Call& call, const protocol::params::DaemonUpgrade& params);
    void restore_order(SessionId session, const CarriedOrder& carried);
    void add(Call& call, const protocol::params::TaskAdd& params);
    void add_to_files(const Asker& asker, NewTask task, json::Value object);
    void remove_from_files(Call& call, const protocol::params::TaskOrder& params,
                           const std::vector<core::TaskId>& tasks, const core::Cause& cause);
    void signal(Call& call, const protocol::params::TaskSignal& params);
    [[nodiscard]] bool may_wait_for(const Call& call, std::size_t tasks) const;
    void wait(Call& call, const protocol::params::TaskWait& params);
    void freeze(Call& call, const protocol::params::TaskFreeze& params);
    void status(Call& call, const protocol::params::TaskStatus& params);
    void logs(Call& call, const protocol::params::TaskLogs& params);
    void subscribe(Call& call, const protocol::params::EventsSubscribe& params);

    World world_;
    std::function<Session*(SessionId)> find_session_;
    std::function<void()> deadline_moved_;
    PendingOrders orders_;
    std::optional<Asker> upgrader_;  ///< whose upgrade is on its way
    std::vector<std::pair<SessionId, protocol::RequestId>> awaiting_shutdown_;
    std::size_t clients_ = 0;
};

}  // namespace vigil::daemon
