//! `synap doctor`

use crate::cli::DoctorArgs;
use crate::cmd::say;
use crate::remote::Remote;
use serde_json::{Value, json};
use std::process::ExitCode;

/// One thing that was looked at.
struct Check {
    name: &'static str,
    ok: bool,
    found: String,
}

/// Looks at this machine and at the server; fails if something is wrong.
pub(crate) fn run(args: &DoctorArgs) -> ExitCode {
    let checks = [nats_server(), server(args), key(args), durability(args)];
    let healthy = checks.iter().all(|check| check.ok);
    if args.json {
        let shown: Vec<Value> = checks
            .iter()
            .map(|check| json!({"check": check.name, "ok": check.ok, "found": check.found}))
            .collect();
        say(&json!({"ok": healthy, "checks": shown}).to_string());
    } else {
        for check in &checks {
            say(&format!(
                "{}  {:<12} {}",
                if check.ok { "ok  " } else { "FAIL" },
                check.name,
                check.found
            ));
        }
    }
    if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn nats_server() -> Check {
    let found = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())
        .and_then(|runtime| {
            runtime
                .block_on(synap_nats::ServerSearch::from_env().find())
                .map_err(|e| e.to_string())
        });
    let ok = found.is_ok();
    let found = found.map_or_else(
        |e| e,
        |found| format!("{} {}", found.version, found.path.display()),
    );
    Check {
        name: "nats-server",
        ok,
        found,
    }
}

fn server(args: &DoctorArgs) -> Check {
    let remote = Remote::new(&args.server);
    let (ok, found) = match remote.get("/health") {
        Ok(health) => {
            let status = health
                .get("status")
                .and_then(Value::as_str)
                .unwrap_or("?")
                .to_owned();
            (
                status == "ok",
                format!("{} at {}", status, remote.base_url()),
            )
        }
        Err(e) => (false, format!("{e:#}")),
    };
    Check {
        name: "server",
        ok,
        found,
    }
}

fn key(args: &DoctorArgs) -> Check {
    let (ok, found) = match Remote::new(&args.server).get("/api/v1/auth/whoami") {
        Ok(who) => {
            let text = |name: &str| who.get(name).and_then(Value::as_str).unwrap_or("?");
            (
                true,
                format!(
                    "{} of {}, {}",
                    text("key_id"),
                    text("client_id"),
                    text("user_context_isolation")
                ),
            )
        }
        Err(e) => (false, format!("{e:#}")),
    };
    Check {
        name: "API key",
        ok,
        found,
    }
}

fn durability(args: &DoctorArgs) -> Check {
    let health = Remote::new(&args.server).get("/health").ok();
    let found = health
        .as_ref()
        .and_then(|health| health.get("durability")?.as_str())
        .unwrap_or("unknown")
        .to_owned();
    Check {
        name: "durability",
        ok: found == "power-safe",
        found,
    }
}
