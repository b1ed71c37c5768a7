// Loads every declaration of codes that stand inside objects, for the reference and `/errors/{code}`.
import '../features/messages/messages.outcomes.ts';
import '../features/sessions/sessions.outcomes.ts';
import '../whatsapp/disconnect.ts';
import '../whatsapp/send-failures.ts';
