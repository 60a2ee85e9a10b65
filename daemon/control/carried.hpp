// Layer daemon. What of the control clients goes over to the program that a daemon goes on as: their
// connections, what they have not read yet, and the orders whose answers they wait for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "core/waits.hpp"
#include "protocol/rpc.hpp"

namespace vigil::daemon {

struct CarriedSession {
    int fd = -1;
    std::string received;  ///< and not taken yet: whole requests, the beginning of one
    std::string unsent;
    bool subscribed = false;
    std::vector<std::string> event_patterns{};
    bool finishing = false;  ///< ends once everything is answered and written
};

struct CarriedWait {
    std::string task;
    core::Goal goal{};
    std::uint64_t generation = 0;
    bool patient = false;
};

struct CarriedOrder {
    std::size_t session = 0;                        ///< place in CarriedClients::sessions
    std::optional<std::string> request;             ///< its id as JSON text; nothing: no answer is wanted
    std::vector<protocol::TaskOutcome> outcomes{};  ///< what is known already
    std::vector<CarriedWait> awaited{};
    core::TimePoint deadline = core::kNever;
    std::string report;  ///< of a reload, as JSON text; empty: no reload
};

struct CarriedClients {
    std::vector<CarriedSession> sessions{};
    std::vector<CarriedOrder> orders{};
    std::uint64_t events = 0;  ///< number of the last one
    /// Who has ordered the upgrade; nothing if he is gone or wants no answer.
    std::optional<std::size_t> upgrader_session;
    std::string upgrader_request;
};

}  // namespace vigil::daemon
