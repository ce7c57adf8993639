//! Server functions at `/rpc/<name>`: what the pages' scripts and plain forms call.

#![allow(
    missing_docs,
    clippy::too_many_arguments,
    reason = "the server macro makes structs of arguments, which cannot carry docs, and a form has \
              as many as it has fields"
)]

pub mod account;
pub mod forms;
pub mod notices;
pub mod tasks;

/// Makes every server function known by its path. Left to itself the linker drops those that nothing
/// on the server calls by name, as it is with most plain forms.
#[cfg(feature = "ssr")]
pub fn register() {
    use server_fn::axum::register_explicit as explicitly;
    explicitly::<account::SignUpForm>();
    explicitly::<account::SignInForm>();
    explicitly::<account::SignOutForm>();
    explicitly::<account::SetProfileForm>();
    explicitly::<account::SetPasswordForm>();
    explicitly::<account::DeleteAccountForm>();
    explicitly::<account::ListTokens>();
    explicitly::<account::CreateTokenForm>();
    explicitly::<account::RevokeTokenForm>();
    explicitly::<account::ForgotPasswordForm>();
    explicitly::<account::ResetPasswordForm>();
    explicitly::<forms::AddTaskForm>();
    explicitly::<forms::CompleteTaskForm>();
    explicitly::<forms::ReopenTaskForm>();
    explicitly::<forms::DeleteTaskForm>();
    explicitly::<forms::RestoreTaskForm>();
    explicitly::<forms::PurgeTaskForm>();
    explicitly::<forms::EditTaskForm>();
    explicitly::<forms::SkipTaskForm>();
    explicitly::<forms::RemoveSamplesForm>();
    explicitly::<notices::ReadNoticeForm>();
    explicitly::<notices::ReadNoticesForm>();
    explicitly::<notices::SnoozeForm>();
    explicitly::<notices::SetNoticesForm>();
    explicitly::<tasks::ChangeTask>();
    explicitly::<tasks::ListTasks>();
    explicitly::<tasks::GetTask>();
    explicitly::<tasks::GetHistory>();
    explicitly::<tasks::GetActivity>();
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    /// Each declaration in this folder is in the list above.
    #[test]
    fn every_server_function_is_registered() {
        let declared = [
            include_str!("api/account.rs"),
            include_str!("api/forms.rs"),
            include_str!("api/notices.rs"),
            include_str!("api/tasks.rs"),
        ];
        let names = declared
            .iter()
            .flat_map(|text| text.split("#[server(name = ").skip(1));
        let list = include_str!("api.rs");
        for name in names.filter_map(|rest| rest.split(',').next()) {
            assert!(
                list.contains(&["::", name, ">();"].concat()),
                "{name} is not registered"
            );
        }
    }
}
