import 'safelight/element';
